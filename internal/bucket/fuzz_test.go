package bucket

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzContentRange reads what servers send: never more than is said, never negative.
func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-9/10", "bytes 5-9/*", "bytes */10", "5-3/10", "bytes 9-10/10", "", "bytes -1-5/9", "bytes 0-18446744073709551615/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, size := parseContentRange(s)
		if start < 0 || size < -1 || size >= 0 && start >= size {
			t.Errorf("%q is read as %d of %d", s, start, size)
		}
	})
}

// FuzzFolderKey reads any key from a folder with links that lead out: what is outside is never read.
func FuzzFolderKey(f *testing.F) {
	top := f.TempDir()
	folder := filepath.Join(top, "films")
	for path, content := range map[string]string{"secret": "outside", "films/x": "inside", "films/in/x": "inside"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(top, path)), 0o700); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, path), []byte(content), 0o600); err != nil {
			f.Fatal(err)
		}
	}
	for link, target := range map[string]string{"up": "..", "file": "../secret", "in/up": "../..", "root": "/"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			f.Fatal(err)
		}
	}
	for _, key := range []string{"x", "in/x", "../secret", "up/secret", "file", "in/up/secret", "root" + top + "/secret", "/etc/passwd", "x\x00"} {
		f.Add(key)
	}
	b, err := New(Config{Buckets: map[string]Source{"films": Folder{Path: folder}}, Limits: DefaultLimits(), Now: (&clock{}).now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		data, err := b.Read(t.Context(), Object{Bucket: "films", Key: key}, 1<<20)
		if err == nil && string(data) != "inside" || err != nil && KindOf(err) == 0 {
			t.Errorf("%q is read as %q, error %v", key, data, err)
		}
	})
}
