package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
)

func TestBucketsAndDataLieApart(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, folder := range []string{"videos/data", "data/cache", "data2"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) config.Path { return config.Path(filepath.Join(root, name)) }
	if err := os.Symlink(filepath.Join(root, "data"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data, folder string
		apart        bool
	}{
		"beside":               {"data", "videos", true},
		"name begins alike":    {"data2", "data", true},
		"data in the bucket":   {"videos/data", "videos", false},
		"bucket in the data":   {"data", "data/cache", false},
		"the same":             {"data", "data", false},
		"by a link":            {"data", "link", false},
		"bucket not there yet": {"data", "later", true},
	} {
		s := config.Server{Data: at(c.data), Buckets: map[string]config.Bucket{"b": {Folder: at(c.folder)}}}
		if err := apart(&s); (err == nil) != c.apart {
			t.Errorf("%s: %v", name, err)
		}
	}
}
