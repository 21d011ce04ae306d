package sqlite_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// crashVariable names the database of a child that is to be killed: this test binary, run once more.
const crashVariable = "SPOTTER_TEST_CRASH"

const crashBatch = 50

func crashing() bool { return os.Getenv(crashVariable) != "" }

// crash enrols faces, and says each batch that was kept, until it is killed.
func crash() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, os.Getenv(crashVariable))
	if err == nil {
		err = enrolForever(ctx, sqlite.New(db, nil))
	}
	fmt.Println(err)
	os.Exit(1)
}

func enrolForever(ctx context.Context, s *sqlite.Store) error {
	c, err := s.Collection(ctx, "people")
	if service.KindOf(err) == service.NotFound {
		c = &service.Collection{ID: "people", Created: time.Unix(1, 0)}
		err = s.CreateCollection(ctx, c)
	}
	for n := c.Faces; err == nil; n += crashBatch {
		fmt.Println(n)
		_, err = s.AddFaces(ctx, c.Serial, someFaces(int(n), crashBatch, 512), math.MaxInt64)
	}
	return err
}

// someFaces are faces from number n on, with ids in no order.
func someFaces(n, count, dim int) []service.NewFace {
	list := make([]service.NewFace, count)
	for i := range list {
		f := &list[i]
		random := rand.New(rand.NewPCG(uint64(n+i), 1))
		binary.BigEndian.PutUint64(f.ID[:8], random.Uint64())
		binary.BigEndian.PutUint64(f.ID[8:], uint64(n+i))
		f.ExternalID, f.Version = "person:"+strconv.Itoa(n+i), "1.0"
		f.Vector = make([]float32, dim)
		for d := range f.Vector {
			f.Vector[d] = random.Float32()
		}
	}
	return list
}

// TestKill kills a process that writes, several times at different moments, and looks at what it left.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spotter.db")
	for round := range 4 {
		promised := killed(t, path, 3+2*round)
		db := openDB(t, path)
		check(t, db, promised)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killed runs a child until it has said so many batches, kills it, and gives the number of faces that it said were kept.
func killed(t *testing.T, path string, batches int) (faces int64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashVariable+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range batches {
		if !lines.Scan() {
			t.Fatal("the child has stopped by itself")
		}
	}
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // in the middle of a batch, at no moment in particular
	if err = child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	last := lines.Text()
	for lines.Scan() {
		last = lines.Text()
	}
	_ = child.Wait() // it was killed
	if faces, err = strconv.ParseInt(strings.TrimSpace(last), 10, 64); err != nil {
		t.Fatalf("the child said %q", last)
	}
	return faces
}

func check(t *testing.T, db *sqlite.DB, promised int64) {
	t.Helper()
	ctx := t.Context()
	s := sqlite.New(db, nil)
	var integrity string
	if err := db.Writer().QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&integrity); err != nil || integrity != "ok" {
		t.Fatalf("integrity %q: %v", integrity, err)
	}
	c, err := s.Collection(ctx, "people")
	if err != nil {
		t.Fatal(err)
	}
	// A batch may have been kept that the child had no time to say.
	if c.Faces != promised && c.Faces != promised+crashBatch {
		t.Fatalf("%d faces are there, %d were said to be kept", c.Faces, promised)
	}
	want := map[face.ID]bool{}
	for _, f := range someFaces(0, int(c.Faces), 0) {
		want[f.ID] = true
	}
	err = s.EachVector(ctx, c.Serial, func(v service.Vector) error {
		if !want[v.ID] || len(v.Values) != 512 {
			return fmt.Errorf("face %s with %d values", v.ID, len(v.Values))
		}
		delete(want, v.ID)
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Fatalf("%d faces are missing: %v", len(want), err)
	}
}
