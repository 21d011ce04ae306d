package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/testkit/unprivileged"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		child(path)
	}
	goleak.VerifyTestMain(m)
}

func opened(t *testing.T, path string) *archive.Archive {
	t.Helper()
	return open(t, archive.Open, path)
}

func read(t *testing.T, path string) *archive.Archive {
	t.Helper()
	return open(t, archive.Read, path)
}

func open(t *testing.T, how func(context.Context, string) (*archive.Archive, error), path string) *archive.Archive {
	t.Helper()
	a, err := how(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, a.Close()) })
	return a
}

func fresh(t *testing.T) *archive.Archive {
	t.Helper()
	return opened(t, filepath.Join(t.TempDir(), "x.spotter"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put says that a file has the bytes of this number, and gives the video's.
func put(t *testing.T, a *archive.Archive, path string, sum byte) (video int64) {
	t.Helper()
	f := archive.File{Path: path, Size: int64(sum), Changed: time.Unix(int64(sum), 5)}
	must(t, a.Put(t.Context(), &f, archive.Sum{sum}))
	return f.Video
}

// begin begins the analysis of one track, of so many segments.
func begin(t *testing.T, a *archive.Archive, video int64, segments int) (analysis int64) {
	t.Helper()
	list := []archive.Analysis{{Segments: segments}}
	must(t, a.Begin(t.Context(), video, list))
	return list[0].ID
}

func paths(t *testing.T, a *archive.Archive, prefix string) (list []string) {
	t.Helper()
	must(t, a.EachFile(t.Context(), prefix, func(f *archive.File) error {
		list = append(list, f.Path)
		return nil
	}))
	return list
}

func segments(t *testing.T, a *archive.Archive, analysis int64) map[int]string {
	t.Helper()
	all := map[int]string{}
	must(t, a.EachSegment(t.Context(), analysis, true, func(n int, data, _ []byte) error {
		all[n] = string(data)
		return nil
	}))
	return all
}

func codes(t *testing.T, a *archive.Archive) map[int64]string {
	t.Helper()
	all := map[int64]string{}
	must(t, a.EachCodes(t.Context(), func(analysis int64, codes []byte) error {
		all[analysis] = string(codes)
		return nil
	}))
	return all
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	f, err := a.File(ctx, "/nothing")
	if f != nil || err != nil {
		t.Errorf("an unknown one: %v, %v", f, err)
	}
	for name, changed := range map[string]time.Time{
		"now": time.Unix(1750000000, 123456789), "before 1970": time.Unix(-5, 7), "year 1": {},
		"year 9999": time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		put := archive.File{Path: "/v/" + name + " \xff\x00%_*?'", Size: 1 << 40, Changed: changed, Failure: "bad \xfe"}
		must(t, a.Put(ctx, &put, archive.Sum{1}))
		got, err := a.File(ctx, put.Path)
		if err != nil || got == nil {
			t.Fatalf("%s: %v, %v", name, got, err)
		}
		want(t, name, *got, put)
	}
	if err := a.Put(ctx, &archive.File{Path: "v/relative"}, archive.Sum{1}); err == nil {
		t.Error("a path that is not absolute was put")
	}
}

func TestFilesInOrder(t *testing.T) {
	t.Parallel()
	a := fresh(t)
	for _, p := range []string{"/b", "/a/\xff\xffx", "/a/\xff", "/a", "/a/b", "/a0", "/a/", "/A", "/a/\xff\xff", "/ä"} {
		put(t, a, p, 1)
	}
	for prefix, list := range map[string][]string{
		"":            {"/A", "/a", "/a/", "/a/b", "/a/\xff", "/a/\xff\xff", "/a/\xff\xffx", "/a0", "/b", "/ä"},
		"/a/":         {"/a/", "/a/b", "/a/\xff", "/a/\xff\xff", "/a/\xff\xffx"},
		"/a/\xff":     {"/a/\xff", "/a/\xff\xff", "/a/\xff\xffx"},
		"/a/\xff\xff": {"/a/\xff\xff", "/a/\xff\xffx"},
		"/a_":         nil,
		"/a%":         nil,
		"\xff":        nil,
	} {
		want(t, fmt.Sprintf("those of %q", prefix), paths(t, a, prefix), list)
	}
	stop := errors.New("enough")
	if err := a.EachFile(t.Context(), "", func(*archive.File) error { return stop }); err != stop { //nolint:errorlint // it is to come back as it is
		t.Errorf("a function's error comes back as %v", err)
	}
}

// TestManyFiles reads more than is read at once, and changes the archive with each.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	var all []string
	for n := range 1030 { // two times what is read at once, and some
		all = append(all, fmt.Sprintf("/%04d", n))
		put(t, a, all[n], 1)
	}
	var got []string
	must(t, a.EachFile(ctx, "/", func(f *archive.File) error {
		got = append(got, f.Path)
		if len(got)%100 != 0 {
			return nil
		}
		return a.Put(ctx, &archive.File{Path: f.Path, Size: 5}, archive.Sum{2})
	}))
	want(t, "files", got, all)
}

func TestVideos(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	one := put(t, a, "/a", 1)
	if same := put(t, a, "/copy", 1); same != one {
		t.Errorf("a copy is video %d, not %d", same, one)
	}
	two := put(t, a, "/b", 2)
	if two == one {
		t.Error("two videos have one number")
	}
	analysis := begin(t, a, one, 3)
	must(t, a.SaveSegment(ctx, analysis, 1, []byte("x"), nil))
	must(t, a.Complete(ctx, analysis, []byte("c"), ""))
	known := func(sum byte, wanted int64) {
		t.Helper()
		video, known, err := a.Video(ctx, archive.Sum{sum})
		if err != nil || video != wanted || known != (wanted != 0) {
			t.Errorf("sum %d is video %d, %v, want %d: %v", sum, video, known, wanted, err)
		}
	}
	known(1, one)
	known(2, two)
	known(3, 0)
	of, err := a.FilesOf(ctx, one)
	if err != nil || len(of) != 2 || of[0].Path != "/a" || of[1].Path != "/copy" {
		t.Errorf("files of the first: %v, %v", of, err)
	}
	put(t, a, "/a", 2) // has the bytes of /b now
	put(t, a, "/copy", 1)
	known(1, one)
	want(t, "codes", codes(t, a), map[int64]string{analysis: "c"})
	put(t, a, "/copy", 2) // nobody has those of the first any more
	known(1, 0)
	want(t, "codes", codes(t, a), map[int64]string{})
	if err := a.SaveSegment(ctx, analysis, 2, nil, nil); !errors.Is(err, archive.ErrGone) {
		t.Errorf("a segment of what is gone is saved: %v", err)
	}
	if again := put(t, a, "/again", 1); again == one || again == two {
		t.Errorf("the number %d is given again", again)
	}
	must(t, a.Forget(ctx, nil))
	must(t, a.Forget(ctx, []string{"/unknown", "/a", "/again"}))
	known(1, 0)
	known(2, two)
	want(t, "what is left", paths(t, a, ""), []string{"/b", "/copy"})
}

func TestAnalyses(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	video := put(t, a, "/a", 1)
	analyses := func() []archive.Analysis {
		t.Helper()
		list, err := a.Analyses(ctx, video)
		must(t, err)
		return list
	}
	want(t, "none yet", analyses(), nil)
	list := []archive.Analysis{
		{ID: 77, Track: 4, Terms: []byte("t4"), Plan: []byte{}, Segments: 2, Done: true, Failure: "x"},
		{Track: 1, Terms: []byte("t1"), Plan: []byte("p1"), Segments: 0},
	}
	must(t, a.Begin(ctx, video, list))
	if list[0].Done || list[0].Failure != "" || list[0].ID == list[1].ID {
		t.Errorf("begun: %+v", list)
	}
	want(t, "by their tracks", analyses(), []archive.Analysis{list[1], list[0]})
	must(t, a.Complete(ctx, list[0].ID, nil, "one is missing"))
	list[0].Done, list[0].Failure = true, "one is missing"
	want(t, "one is done", analyses(), []archive.Analysis{list[1], list[0]})
	must(t, a.Complete(ctx, list[0].ID, []byte("later"), ""))
	list[0].Failure = ""
	want(t, "done again", analyses(), []archive.Analysis{list[1], list[0]})
	want(t, "codes", codes(t, a), map[int64]string{list[0].ID: "later"})

	twice := []archive.Analysis{{Track: 1}, {Track: 1}}
	if err := a.Begin(ctx, video, twice); err == nil || twice[0].ID != 0 {
		t.Errorf("one track twice: %v, %v", twice, err)
	}
	want(t, "as before", analyses(), []archive.Analysis{list[1], list[0]})

	anew := begin(t, a, video, 1)
	if anew <= list[0].ID || anew <= list[1].ID {
		t.Errorf("the id %d is given again", anew)
	}
	want(t, "codes of what was replaced", codes(t, a), map[int64]string{})
	must(t, a.Begin(ctx, video, nil))
	want(t, "none again", analyses(), nil)
	if err := a.Begin(ctx, video+1, nil); !errors.Is(err, archive.ErrGone) {
		t.Errorf("of a video that is not there: %v", err)
	}
	if err := a.Complete(ctx, anew, nil, ""); !errors.Is(err, archive.ErrGone) {
		t.Errorf("what is gone is complete: %v", err)
	}
}

func TestSegments(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	analysis := begin(t, a, put(t, a, "/a", 1), 600)
	all := map[int]string{}
	for n := 599; n >= 0; n -= 2 { // more than 4 MB of them, and one that alone is more
		data := bytes.Repeat([]byte{byte(n)}, 40_000)
		if n == 301 {
			data = bytes.Repeat([]byte{7}, 5<<20)
		}
		must(t, a.SaveSegment(ctx, analysis, n, data, nil))
		must(t, a.SaveSegment(ctx, analysis, n, []byte("the second"), nil))
		all[n] = string(data)
	}
	must(t, a.SaveSegment(ctx, analysis, 0, nil, nil))
	all[0] = ""
	if got := segments(t, a, analysis); !maps.Equal(got, all) {
		t.Errorf("%d segments, want %d, or others", len(got), len(all))
	}
	numbers, err := a.Saved(ctx, analysis)
	must(t, err)
	wanted := []int{0}
	for n := 1; n < 600; n += 2 {
		wanted = append(wanted, n)
	}
	want(t, "their numbers", numbers, wanted)
	last := -1
	must(t, a.EachSegment(ctx, analysis, true, func(n int, _, _ []byte) error {
		if n <= last {
			t.Errorf("%d comes after %d", n, last)
		}
		last = n
		return nil
	}))
	for _, n := range []int{-1, 600} {
		if err = a.SaveSegment(ctx, analysis, n, nil, nil); err == nil || errors.Is(err, archive.ErrGone) {
			t.Errorf("segment %d of 600: %v", n, err)
		}
	}
	if numbers, err = a.Saved(ctx, analysis+1); len(numbers) > 0 || err != nil {
		t.Errorf("of what is not there: %v, %v", numbers, err)
	}
	if err := a.EachSegment(ctx, analysis+1, true, nil); !errors.Is(err, archive.ErrGone) {
		t.Errorf("of what is not there: %v", err)
	}
}

// TestSegmentsThatGo: who reads them learns that they were replaced meanwhile.
func TestSegmentsThatGo(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	video := put(t, a, "/a", 1)
	analysis := begin(t, a, video, 3)
	for n := range 3 {
		must(t, a.SaveSegment(ctx, analysis, n, make([]byte, 4<<20), nil))
	}
	seen := 0
	err := a.EachSegment(ctx, analysis, true, func(int, []byte, []byte) error {
		seen++
		return a.Begin(ctx, video, []archive.Analysis{{Segments: 1}})
	})
	if !errors.Is(err, archive.ErrGone) || seen != 1 {
		t.Errorf("after %d: %v", seen, err)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	a := opened(t, path)
	put(t, a, "/a", 1)
	put(t, a, "/b", 1)
	analysis := begin(t, a, put(t, a, "/c", 2), 5)
	for n := range 5 {
		must(t, a.SaveSegment(t.Context(), analysis, n, make([]byte, 100_000), nil))
	}
	info, err := os.Stat(path)
	must(t, err)
	s, err := a.Stats(t.Context())
	must(t, err)
	want(t, "stats", s, archive.Stats{Files: 3, Videos: 2, Analyses: 1, Segments: 5, Unfinished: 3, Bytes: info.Size()})
}

// TestForgottenIsGone looks into the file for what could tell a person, and at its size.
func TestForgottenIsGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	a, ctx := opened(t, path), t.Context()
	trace := []byte("what tells a person")
	fill := func(name string, sum byte, data []byte) {
		t.Helper()
		analysis := begin(t, a, put(t, a, name, sum), 20)
		for n := range 20 {
			must(t, a.SaveSegment(ctx, analysis, n, bytes.Repeat(data, 3000), nil))
		}
		must(t, a.Complete(ctx, analysis, data, ""))
	}
	content := func() []byte {
		t.Helper()
		b, err := os.ReadFile(path)
		must(t, err)
		return b
	}
	var gone []string
	for n := range 20 {
		name := "/" + strconv.Itoa(n)
		fill(name, byte(n), trace)
		gone = append(gone, name)
	}
	fill("/stays", 100, []byte("something else"))
	before := content()
	if !bytes.Contains(before, trace) {
		t.Fatal("it is not there")
	}
	must(t, a.Forget(ctx, gone))
	after := content()
	if bytes.Contains(after, trace) {
		t.Error("it is still there")
	}
	if len(after) > len(before)/10 {
		t.Errorf("the file has %d bytes, had %d", len(after), len(before))
	}
	want(t, "what is left", paths(t, a, ""), []string{"/stays"})
}

// TestCallsWithinCalls writes from within each function that is called: nobody waits for himself.
func TestCallsWithinCalls(t *testing.T) {
	t.Parallel()
	a, ctx := fresh(t), t.Context()
	analysis := begin(t, a, put(t, a, "/a", 1), 9)
	must(t, a.SaveSegment(ctx, analysis, 1, nil, nil))
	must(t, a.Complete(ctx, analysis, nil, ""))
	calls := 0
	must(t, a.EachFile(ctx, "", func(f *archive.File) error {
		return a.EachCodes(ctx, func(analysis int64, _ []byte) error {
			return a.EachSegment(ctx, analysis, true, func(n int, data, _ []byte) error {
				calls++
				err := errors.Join(a.Put(ctx, f, archive.Sum{1}), a.Complete(ctx, analysis, data, ""), a.SaveSegment(ctx, analysis, n, data, nil))
				_, unread := a.Stats(ctx)
				return errors.Join(err, unread)
			})
		})
	}))
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	if _, err := archive.Read(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a file: %v", err)
	}
	owner := opened(t, path)
	put(t, owner, "/a", 1)
	a := read(t, path)
	want(t, "files", paths(t, a, ""), []string{"/a"})
	put(t, owner, "/b", 2)
	want(t, "files", paths(t, a, ""), []string{"/a", "/b"})
	for what, err := range map[string]error{
		"put": a.Put(t.Context(), &archive.File{Path: "/c"}, archive.Sum{}), "forgotten": a.Forget(t.Context(), []string{"/a"}),
		"begun": a.Begin(t.Context(), 1, nil), "saved": a.SaveSegment(t.Context(), 1, 0, nil, nil), "complete": a.Complete(t.Context(), 1, nil, ""),
	} {
		if err == nil || !strings.Contains(err.Error(), "for reading only") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOneWriter(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "family \xff ?#%41.spotter")
	a := opened(t, path)
	if _, err := archive.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())+" has it open") {
		t.Errorf("opened twice: %v", err)
	}
	put(t, a, "/a", 1)
	must(t, a.Close())
	must(t, a.Close())
	entries, err := os.ReadDir(folder)
	must(t, err)
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the folder has %v", entries)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	want(t, "files", paths(t, opened(t, path), ""), []string{"/a"})
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	ofServer := func(t *testing.T, path string) {
		t.Helper()
		db, err := sqlite.Open(t.Context(), path)
		must(t, err)
		must(t, db.Close())
	}
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"the server's database": {ofServer, "not an archive of Spotter: name another one"},
		"another file": {func(t *testing.T, path string) {
			t.Helper()
			must(t, os.WriteFile(path, bytes.Repeat([]byte("a letter "), 1000), 0o600))
		}, "not an archive of Spotter"},
		"a newer version": {func(t *testing.T, path string) {
			t.Helper()
			a := opened(t, path)
			must(t, a.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`))
			must(t, a.Close())
		}, "newer Spotter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.spotter")
			test.make(t, path)
			before, err := os.ReadFile(path)
			must(t, err)
			for _, how := range []func(context.Context, string) (*archive.Archive, error){archive.Open, archive.Read} {
				a, err := how(t.Context(), path)
				if err == nil {
					t.Fatalf("opened, and closed with %v", a.Close())
				}
				if !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("it says %v", err)
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "x.spotter")
	must(t, opened(t, path).Close())
	if _, err := sqlite.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "not a database of Spotter") {
		t.Errorf("the server opens an archive: %v", err)
	}
}

// TestClosedFolder runs once more as a user without rights, whom folders can be closed to.
func TestClosedFolder(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		out, err := unprivileged.Run(t.Context(), t.Name())
		if unprivileged.Cannot(err) {
			t.Skipf("no process of another user can be started: %v", err)
		}
		if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "x.spotter")
	a := opened(t, path)
	put(t, a, "/a", 1)
	must(t, a.Close())
	must(t, errors.Join(os.Chmod(path, 0o400), os.Chmod(folder, 0o500)))
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	want(t, "files", paths(t, read(t, path), ""), []string{"/a"})
	if _, err := archive.Open(t.Context(), path); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("opened for writing: %v", err)
	}
	must(t, os.Chmod(path, 0))
	if _, err := archive.Read(t.Context(), path); err == nil || !strings.Contains(err.Error(), "look whether this user may read it") {
		t.Errorf("opened for reading: %v", err)
	}
}
