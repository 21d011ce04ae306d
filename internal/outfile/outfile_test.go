package outfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/testkit/unprivileged"
)

// notes are the kind of file that begins with "note".
func notes() outfile.Kind {
	return outfile.Kind{Name: "a note", Is: func(f *os.File) bool {
		head := make([]byte, 4)
		_, err := f.ReadAt(head, 0)
		return err == nil && string(head) == "note"
	}}
}

func TestFileAppearsWhole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, link := filepath.Join(folder, "real"), filepath.Join(folder, "link")
	must(t, os.WriteFile(path, []byte("note 1"), 0o640), os.Symlink("real", link))
	place, err := outfile.At(link, notes(), false)
	must(t, err)
	f, err := place.Create()
	must(t, err)
	_, err = f.WriteString("note 2")
	must(t, err)
	contains(t, path, "note 1")
	must(t, f.Commit())
	f.Discard()
	contains(t, path, "note 2")
	if target, err := os.Readlink(link); err != nil || target != "real" {
		t.Errorf("the link leads to %q (%v)", target, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode has changed (%v)", err)
	}
	entries(t, folder, 2)
}

func TestFileIsDiscarded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	place, err := outfile.At(filepath.Join(folder, "x"), notes(), false)
	must(t, err)
	f, err := place.Create()
	must(t, err)
	entries(t, folder, 1)
	f.Discard()
	entries(t, folder, 0)
}

func TestDeviceIsWrittenDirectly(t *testing.T) {
	t.Parallel()
	place, err := outfile.At(os.DevNull, notes(), false)
	must(t, err)
	must(t, place.Write([]byte("gone")))
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s is no device any more (%v)", os.DevNull, err)
	}
}

func TestPlaceIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		path   string
		forced bool // whether force helps
	}{
		"a folder":                   {".", false},
		"no such folder":             {"none/x", false},
		"a file where a folder is":   {"photo/x", false},
		"another kind":               {"photo", true},
		"a link to another kind":     {"link", true},
		"a link that leads nowhere":  {"nowhere", false},
		"a file that is of no kind":  {"short", true},
		"a hard link to another one": {"hard", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			at := func(name string) string { return filepath.Join(folder, name) }
			must(t, os.WriteFile(at("photo"), []byte("a photo"), 0o600), os.WriteFile(at("short"), []byte("no"), 0o600),
				os.Symlink("photo", at("link")), os.Symlink("gone", at("nowhere")), os.Link(at("photo"), at("hard")))
			for _, force := range []bool{false, true} {
				_, err := outfile.At(at(tc.path), notes(), force)
				if refused := (*outfile.RefusedError)(nil); (force && tc.forced) != (err == nil) || err != nil && !errors.As(err, &refused) {
					t.Errorf("force %v: error %v", force, err)
				}
			}
			contains(t, at("photo"), "a photo")
		})
	}
}

func TestEmptyFileMayBeReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	must(t, os.WriteFile(path, nil, 0o600))
	place, err := outfile.At(path, outfile.Kind{}, false)
	must(t, err, place.Write([]byte("new")))
	contains(t, path, "new")
}

func TestNewReplacesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "x")
	place, err := outfile.New(path)
	must(t, err)
	must(t, place.Write([]byte("secret")))
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it (%v)", err)
	}
	if _, err := outfile.New(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want that it is there", err)
	}
	must(t, os.Symlink("gone", filepath.Join(folder, "link")))
	if _, err := outfile.New(filepath.Join(folder, "link")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link: error %v, want that it is there", err)
	}
}

// TestWhatCameMeanwhileStays lets another file appear between the look and the end of the work.
func TestWhatCameMeanwhileStays(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{"nothing was there": "", "another was there": "note"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			path := filepath.Join(folder, "x")
			if before != "" {
				must(t, os.WriteFile(path, []byte(before), 0o600))
			}
			place, err := outfile.At(path, notes(), true)
			must(t, err)
			f, err := place.Create()
			must(t, err)
			must(t, os.WriteFile(path, []byte("somebody's"), 0o600))
			if refused := (*outfile.RefusedError)(nil); !errors.As(f.Commit(), &refused) {
				t.Errorf("error %v, want a refusal", err)
			}
			contains(t, path, "somebody's")
			entries(t, folder, 1)
		})
	}
}

// TestApart names what is read as the place to write to, in every way.
func TestApart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	must(t, os.WriteFile(at("clip"), []byte("clip"), 0o600), os.WriteFile(at("other"), []byte("other"), 0o600),
		os.Symlink("clip", at("link")), os.Link(at("clip"), at("hard")), os.Mkdir(at("d"), 0o700))
	for name, path := range map[string]string{
		"itself": at("clip"), "by another path": folder + "/d/../clip", "by a link": at("link"), "by a hard link": at("hard"),
	} {
		place, err := outfile.At(path, notes(), true)
		must(t, err)
		refused := (*outfile.RefusedError)(nil)
		if err := place.Apart([]string{at("none"), at("other"), at("clip")}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "never") {
			t.Errorf("%s: error %v, want a refusal", name, err)
		}
		must(t, place.Apart([]string{at("none"), at("other")}))
	}
	opened, err := os.OpenFile(at("clip"), os.O_RDWR, 0)
	must(t, err)
	if err := outfile.Opened(opened).Apart([]string{at("link")}); err == nil {
		t.Error("a file that is open is not told from what is read")
	}
	must(t, opened.Close())
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) *outfile.Place {
		p, err := outfile.At(filepath.Join(folder, name), notes(), false)
		must(t, err)
		return p
	}
	must(t, outfile.Distinct([]*outfile.Place{at("a"), at("b"), outfile.Opened(os.Stdout)}))
	if outfile.Distinct([]*outfile.Place{at("a"), at("b"), at("./a")}) == nil {
		t.Error("two files of one name pass")
	}
}

// TestUnprivileged runs what a user who is not root may meet: files and folders that cannot be written.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	folder := t.TempDir()
	locked, secret := filepath.Join(folder, "locked"), filepath.Join(folder, "secret")
	must(t, os.WriteFile(secret, []byte("note"), 0o000), os.Mkdir(locked, 0o500))
	refused := (*outfile.RefusedError)(nil)
	if _, err := outfile.At(secret, notes(), false); !errors.As(err, &refused) {
		t.Errorf("what cannot be read: error %v, want a refusal", err)
	}
	place, err := outfile.At(filepath.Join(locked, "x"), notes(), false)
	must(t, err)
	if _, err = place.Create(); !errors.As(err, &refused) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder that is not to be written: error %v, want a refusal", err)
	}
	must(t, os.Chmod(secret, 0o600), os.Chmod(secret, 0o400))
	place, err = outfile.At(secret, notes(), false)
	must(t, err, place.Write([]byte("note 2")))
	if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("its mode has changed (%v)", err)
	}
}

// asNobody runs the calling test again in a process of a user without rights.
func asNobody(t *testing.T) {
	t.Helper()
	if out, err := unprivileged.Run(t.Context(), t.Name()); unprivileged.Cannot(err) {
		t.Skip("no process of another user can be started here: " + err.Error())
	} else if err != nil {
		t.Errorf("as another user: %v\n%s", err, out)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s contains %q (%v), want %q", path, got, err, want)
	}
}

func entries(t *testing.T, folder string, want int) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil || len(list) != want {
		t.Errorf("%d files in the folder (%v), want %d", len(list), err, want)
	}
}
