package engine

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
)

func TestMemoryOfPhotos(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil { // somebody's folder, which others may read
		t.Fatal(err)
	}
	dir := filepath.Join(folder, memoryName)
	open := func(about string) *memory {
		t.Helper()
		m, err := memoryIn(folder, about)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := open("this pack")
	photo, other := []byte("a photo"), []byte("another photo")
	seen := seenPhoto{
		Detection: face.Detection{Confidence: 99}, Vector: []float32{0.6, 0.8}, Portrait: []byte("jpeg"), Notes: []string{"2 faces"},
	}
	key := m.key(photo, "")
	if _, ok := m.recall(key); ok {
		t.Error("a photo is known before it was seen")
	}
	m.keep(key, &seen)
	if got, ok := open("this pack").recall(key); !ok || !reflect.DeepEqual(got, seen) {
		t.Errorf("remembered %+v, %v; want %+v", got, ok, seen)
	}
	for what, key := range map[string]struct {
		of  *memory
		key [32]byte
	}{
		"another photo":                              {m, m.key(other, "")},
		"the photo, read another way":                {m, m.key(photo, "true true")},
		"the photo, seen by another pack or program": {m, open("that pack").key(photo, "")},
	} {
		if _, ok := key.of.recall(key.key); ok {
			t.Errorf("%s is known", what)
		}
	}
	unread := seenPhoto{Refused: "the decoder was killed", unread: true}
	m.keep(m.key(other, ""), &unread)
	if _, ok := m.recall(m.key(other, "")); ok {
		t.Error("what may pass is remembered")
	}
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("others may read the folder: %v (%v)", st.Mode(), err)
	}
	if st, err := os.Stat(folder); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the folder that was named has other rights now: %v (%v)", st.Mode(), err)
	}
	m.tidy()

	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Truncate(path, 10)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := m.recall(key); ok {
		t.Errorf("a damaged file gives %+v", got)
	}
}

func TestMemoryThatIsOffOrCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	off, err := openMemory(&config.Config{PhotoCache: config.Off}, "")
	if err != nil {
		t.Fatal(err)
	}
	off.keep(off.key(nil, ""), &seenPhoto{})
	if _, ok := off.recall(off.key(nil, "")); ok {
		t.Error("something is remembered that is off")
	}
	off.tidy()
	if _, err := memoryIn(filepath.Join(file, "below"), ""); err == nil {
		t.Error("a folder below a file was opened")
	}
	var environment *fault.EnvironmentError
	c := config.Default()
	c.PhotoCache = config.Path(file)
	if _, err := openMemory(&c, ""); !errors.As(err, &environment) {
		t.Errorf("a file is taken for a folder: %v", err)
	}
}
