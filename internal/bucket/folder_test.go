package bucket_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spotter-video/spotter/internal/bucket"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	bucketTest(t, func(t *testing.T) fixture {
		t.Helper()
		folder := t.TempDir()
		return fixture{
			buckets: open(t, config(t, map[string]bucket.Source{"films": bucket.Folder{Path: folder}})),
			put: func(t *testing.T, key string, data []byte) {
				t.Helper()
				write(t, filepath.Join(folder, filepath.FromSlash(key)), data)
			},
			remove: func(t *testing.T, key string) {
				t.Helper()
				if err := os.Remove(filepath.Join(folder, key)); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// write replaces a file by another one, as programs that write with care do.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

func folderBucket(t *testing.T) (folder string, b *bucket.Buckets) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "films")
	write(t, filepath.Join(folder, "in", "x"), []byte("inside"))
	write(t, filepath.Join(folder, "..", "secret"), []byte("outside"))
	return folder, open(t, config(t, map[string]bucket.Source{"films": bucket.Folder{Path: folder}}))
}

func TestFolderLinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target, link, key string
		kind              bucket.Kind // 0: it can be read
	}{
		"to a file within":        {target: "in/x", link: "link", key: "link"},
		"to a folder within":      {target: "in", link: "link", key: "link/x"},
		"up and in again":         {target: "../in/x", link: "in/link", key: "in/link"},
		"to a file outside":       {target: "../secret", link: "link", key: "link", kind: bucket.Denied},
		"to a folder outside":     {target: "..", link: "link", key: "link/secret", kind: bucket.Denied},
		"absolute":                {target: "/etc/passwd", link: "link", key: "link", kind: bucket.Denied},
		"absolute folder":         {target: "/etc", link: "link", key: "link/passwd", kind: bucket.Denied},
		"to the root":             {target: "/", link: "link", key: "link/etc/passwd", kind: bucket.Denied},
		"out and in again":        {target: "../films/in/x", link: "link", key: "link"},
		"absolute within":         {target: "FOLDER/in/x", link: "link", key: "link"},
		"absolute to a folder":    {target: "FOLDER/in", link: "link", key: "link/x"},
		"absolute to the folder":  {target: "FOLDER", link: "link", key: "link", kind: bucket.NotFound},
		"absolute above":          {target: "FOLDER/../secret", link: "link", key: "link", kind: bucket.Denied},
		"to a process's own file": {target: "/proc/self/environ", link: "link", key: "link", kind: bucket.Denied},
		"dangling":                {target: "nothing", link: "link", key: "link", kind: bucket.NotFound},
		"loop":                    {target: "link", link: "link", key: "link", kind: bucket.NotFound},
		"to a folder":             {target: "in", link: "link", key: "link", kind: bucket.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, b := folderBucket(t)
			target := strings.Replace(c.target, "FOLDER", folder, 1)
			if err := os.Symlink(target, filepath.Join(folder, c.link)); err != nil {
				t.Fatal(err)
			}
			data, err := b.Read(t.Context(), film(c.key), 1<<20)
			if c.kind == 0 && string(data) != "inside" {
				t.Errorf("got %q, error %v", data, err)
			}
			wantKind(t, err, c.kind)
		})
	}
}

// TestFolderKeys is about names that S3 may hold and files cannot have.
func TestFolderKeys(t *testing.T) {
	t.Parallel()
	_, b := folderBucket(t)
	for _, key := range []string{"/in/x", "in/x/", "in//x", "in/./x", "./in/x", "in/../in/x", "in/..", ".", "/"} {
		_, err := b.Stat(t.Context(), film(key))
		wantKind(t, err, bucket.Invalid)
		_, err = b.Read(t.Context(), film(key), 10)
		wantKind(t, err, bucket.Invalid)
		_, err = openWhole(t.Context(), b, film(key), bucket.Info{Size: 6, ETag: "x"})
		wantKind(t, err, bucket.Invalid)
	}
}

func TestFolderIrregular(t *testing.T) {
	t.Parallel()
	folder, b := folderBucket(t)
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys := []string{"pipe", "in"}
	// Only root may make devices: null (1, 3), which reads as empty.
	if err := syscall.Mknod(filepath.Join(folder, "device"), syscall.S_IFCHR|0o600, 1<<8|3); err == nil {
		keys = append(keys, "device")
	}
	for _, key := range keys {
		_, err := b.Stat(t.Context(), film(key))
		wantKind(t, err, bucket.NotFound)
		if err == nil || !strings.Contains(err.Error(), "regular") {
			t.Errorf("%s: the error %v does not say why", key, err)
		}
	}
}

func TestFolderLongName(t *testing.T) {
	t.Parallel()
	_, b := folderBucket(t)
	_, err := b.Stat(t.Context(), film(strings.Repeat("x", 1000))) // a key, but longer than names of files are
	wantKind(t, err, bucket.NotFound)
}

func TestFolderDenied(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	folder, b := folderBucket(t)
	if err := os.Chmod(filepath.Join(folder, "in", "x"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := b.Read(t.Context(), film("in/x"), 100)
	wantKind(t, err, bucket.Denied)
}

func TestFolderVerify(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"written": func(path string) error { return os.WriteFile(path, []byte("INSIDE"), 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 2) },
		"longer":  func(path string) error { return os.Truncate(path, 20) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, b := folderBucket(t)
			f := mustOpen(t, b, film("in/x"), pin(t, b, film("in/x")))
			if err := change(filepath.Join(folder, "in", "x")); err != nil {
				t.Fatal(err)
			}
			wantKind(t, f.Verify(t.Context()), bucket.Changed)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("replaced", func(t *testing.T) {
		t.Parallel()
		folder, b := folderBucket(t)
		f := mustOpen(t, b, film("in/x"), pin(t, b, film("in/x")))
		write(t, filepath.Join(folder, "in", "x"), []byte("anew"))
		if err := f.Verify(t.Context()); err != nil {
			t.Errorf("what is open is still the old file: %v", err)
		}
		wantContent(t, f, []byte("inside"))
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFolderComes is about a folder that is mounted late, and unmounted.
func TestFolderComes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "films")
	b := open(t, config(t, map[string]bucket.Source{"films": bucket.Folder{Path: folder}}))
	_, err := b.Stat(t.Context(), film("x"))
	wantKind(t, err, bucket.Unavailable)
	wantKind(t, b.Check(t.Context()), bucket.Unavailable)
	write(t, filepath.Join(folder, "x"), []byte("here"))
	if _, err := b.Stat(t.Context(), film("x")); err != nil {
		t.Error(err)
	}
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	write(t, folder, []byte("a file"))
	wantKind(t, b.Check(t.Context()), bucket.Unavailable)
}
