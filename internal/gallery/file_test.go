package gallery

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

// written is a snapshot's file.
func written(tb testing.TB, g *Gallery) []byte {
	tb.Helper()
	s := g.Snapshot()
	defer func() { _ = s.Close() }()
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// TestFileKeepsAGallery writes galleries of random lives, reads them into ones of other chunks, and goes on living there.
func TestFileKeepsAGallery(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		d := newSeeded(seed)
		dim, n := 1+d.below(40), d.below(900)
		all := vectors(d, n+50, dim)
		probes := []face.Probe{{Vector: all[n], Limit: n + 50, MinScore: -2}, {Vector: all[n/2], Limit: 5, MinScore: 0.1}}
		before, after := withChunkFaces(blockFaces*(1+d.below(40))), withChunkFaces(blockFaces*(1+d.below(40)))
		var g, read *Gallery
		var m model
		if seed%2 == 0 {
			g, m = newGallery(t, dim, before), model{}
			enrol(t, g, m, 0, all[:n])
			read = newGallery(t, dim, after)
		} else {
			lean, from, faces := newLean(t, all[:max(n, 1)], before)
			other, err := NewWithOriginals(dim, from, after)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close() })
			from.put(numbers(n, n+50), all[n:])
			g, read, m = lean, other, faces
		}
		for range d.below(4) {
			from := d.below(n + 1)
			gone := numbers(from, from+d.below(n-from+1))
			g.Delete(gone)
			for _, id := range gone {
				delete(m, id)
			}
		}
		file := written(t, g)
		if err := read.Read(bytes.NewReader(file), int64(len(file))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if read.Len() != len(m) || read.Digest() != m.digest() {
			t.Errorf("seed %d: %d faces, want %d; digest %x, want %x", seed, read.Len(), len(m), read.Digest(), m.digest())
		}
		for _, id := range numbers(0, n) {
			if _, there := m[id]; read.Has(id) != there {
				t.Fatalf("seed %d: Has(%v) = %v", seed, id, !there)
			}
		}
		alike := func() {
			t.Helper()
			got, err := read.Search(t.Context(), probes)
			if diff := cmp.Diff(m.search(probes), got); err != nil || diff != "" {
				t.Fatalf("seed %d: %v (-want +got):\n%s", seed, err, diff)
			}
		}
		alike()
		enrol(t, read, m, n, all[n:])
		alike()
		read.Delete(numbers(0, n+25))
		for _, id := range numbers(0, n+25) {
			delete(m, id)
		}
		alike()
		if err := read.Read(bytes.NewReader(file), int64(len(file))); err == nil {
			t.Errorf("seed %d: a gallery that has faces was filled", seed)
		}
	}
}

// TestFileForgetsTheDeleted: a file is on a disk, where nothing may lie of who has been deleted.
func TestFileForgetsTheDeleted(t *testing.T) {
	t.Parallel()
	const dim, base = 24, 0x5a17c3 // no id is like anything else by chance
	var all [][]float32
	for seed := range uint64(200) {
		all = append(all, distinct(seed, dim))
	}
	kept, some := newGallery(t, dim), newGallery(t, dim)
	enrol(t, some, nil, base, all)
	some.Delete(numbers(base+20, base+40))
	enrol(t, kept, nil, base, all[:20])
	enrol(t, kept, nil, base+40, all[40:])
	file := written(t, some)
	if want := written(t, kept); len(file) > len(want)+64 { // a few more runs
		t.Errorf("%d bytes, and %d without the faces ever having been there", len(file), len(want))
	}
	for n, id := range numbers(base, base+200) {
		if bytes.Contains(file, id[:]) != (n < 20 || n >= 40) {
			t.Errorf("face %d", n)
		}
		if bytes.Contains(file, bytesOf(all[n])) != (n < 20 || n >= 40) {
			t.Errorf("the vector of face %d", n)
		}
	}
}

// distinct is a vector that no other seed gives.
func distinct(seed uint64, dim int) []float32 {
	d, v := newSeeded(seed), make([]float32, dim)
	for i := range v {
		v[i] = float32(d.normal())
	}
	_, _ = face.Normalize(v)
	return v
}

// TestFileStaysTheSame: files of earlier programs are read, so what is written of a form never changes. Where this must fail, the form
// gets the next version.
func TestFileStaysTheSame(t *testing.T) {
	t.Parallel()
	const dim = 24
	lean, err := NewWithOriginals(dim, &shelf{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lean.Close() }()
	for _, x := range []struct {
		g    *Gallery
		want string
	}{{newGallery(t, dim), "d5c6f3d926f1cbcc"}, {lean, "84c0a27814226b11"}} {
		for n := range 40 { // unit vectors along the axes: the same codes on all machines
			v := make([]float32, dim)
			v[n%dim] = 1
			if err := x.g.Add([]face.ID{number(n)}, v); err != nil {
				t.Fatal(err)
			}
		}
		x.g.Delete(numbers(3, 4))
		sum := sha256.Sum256(written(t, x.g))
		if got := hex.EncodeToString(sum[:8]); got != x.want && binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
			t.Errorf("the file's sum is %s, want %s", got, x.want)
		}
	}
}

// TestDamagedFile cuts and changes a file everywhere.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	const dim = 3
	all := vectors(newSeeded(5), 40, dim)
	g, _, _ := newLean(t, all)
	file := written(t, g)
	read, err := NewWithOriginals(dim, &shelf{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	refused := func(what string, at int, file []byte) {
		t.Helper()
		if err := read.Read(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrFile) || read.Len() != 0 || read.Has(number(1)) || read.Digest() != 0 {
			t.Fatalf("%s at %d: %v, %d faces", what, at, err, read.Len())
		}
	}
	for at := range file {
		refused("cut", at, file[:at])
		changed := slices.Clone(file)
		changed[at] ^= 1 << (at % 8)
		refused("changed", at, changed)
	}
	other := newGallery(t, dim)
	if err := other.Read(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrFile) {
		t.Errorf("a gallery that keeps vectors was filled with codes: %v", err)
	}
	if err := read.Read(bytes.NewReader(file), int64(len(file))); err != nil || read.Len() != len(all) {
		t.Errorf("after all these: %v, %d faces", err, read.Len())
	}
}

// TestHeadThatLies has a head say that there are more faces than the file has room for: nothing is made ready for them.
func TestHeadThatLies(t *testing.T) {
	t.Parallel()
	const dim, faces = 512, 100
	g := newGallery(t, dim)
	enrol(t, g, nil, 0, vectors(newSeeded(1), faces, dim))
	file := written(t, g)
	for _, lie := range []uint64{math.MaxUint64, 1 << 63, 1 << 40, 4 << 20, uint64(len(file)/(dim+8+16)) + 1} {
		head := binary.LittleEndian.AppendUint64(slices.Clone(file[:fileHead-8]), lie)
		err := newGallery(t, dim).Read(io.MultiReader(bytes.NewReader(head), broken{}), int64(len(file)))
		if !errors.Is(err, ErrFile) || errors.Is(err, errBroken) {
			t.Errorf("%d faces in %d bytes: %v", lie, len(file), err)
		}
	}
	if err := newGallery(t, dim).Read(bytes.NewReader(file), int64(len(file))*1000); err != nil { // what else is in the file is not known
		t.Errorf("with room for more: %v", err)
	}
	if err := newGallery(t, dim).Read(bytes.NewReader(file), -1); !errors.Is(err, ErrFile) {
		t.Errorf("without any bytes: %v", err)
	}
}

// TestFileFailures: what goes wrong outside is not the file's fault, and closed things say so.
func TestFileFailures(t *testing.T) {
	t.Parallel()
	g := newGallery(t, 4)
	enrol(t, g, nil, 0, vectors(newSeeded(1), 30, 4))
	s := g.Snapshot()
	if err := s.Write(broken{}); !errors.Is(err, errBroken) {
		t.Errorf("Write = %v", err)
	}
	_ = s.Close()
	if err := s.Write(&bytes.Buffer{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Write of a closed snapshot = %v", err)
	}
	empty := newGallery(t, 4)
	if err := empty.Read(broken{}, 1e6); !errors.Is(err, errBroken) || errors.Is(err, ErrFile) {
		t.Errorf("Read = %v", err)
	}
	_ = empty.Close()
	if err := empty.Read(broken{}, 1e6); !errors.Is(err, ErrClosed) {
		t.Errorf("Read of a closed gallery = %v", err)
	}
}

var errBroken = errors.New("the disk is broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }
func (broken) Read([]byte) (int, error)  { return 0, errBroken }

// FuzzRead fills galleries with anything; its checksum is made right, so that what lies behind that is reached.
func FuzzRead(f *testing.F) {
	for _, n := range []int{0, 1, 16, 40, 600} {
		g, _, _ := newLean(f, vectors(newSeeded(uint64(n)), max(n, 1), 3))
		file := written(f, g)
		f.Add(file[:len(file)-4])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := NewWithOriginals(3, &shelf{}, withChunkFaces(32))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = g.Close() }()
		w := fileWriter{w: &bytes.Buffer{}}
		w.put(file)
		whole := binary.LittleEndian.AppendUint32(slices.Clone(file), w.sum)
		if err := g.Read(bytes.NewReader(whole), int64(len(whole))); err != nil {
			if g.Len() != 0 {
				t.Fatalf("%v, and %d faces", err, g.Len())
			}
			return
		}
		if again := written(t, g); g.Len() > 0 && len(again) < g.Len()*16 {
			t.Fatalf("%d faces in %d bytes", g.Len(), len(again))
		}
	})
}
