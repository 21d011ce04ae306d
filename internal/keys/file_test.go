package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestKeyFileIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	if _, err := OpenFile(path, false, rand.Reader); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Fatalf("without leave to make it: %v", err)
	}
	first, err := OpenFile(path, true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() != 32 || info.Mode().Perm() != 0o600 {
		t.Errorf("made a file of %d bytes, mode %v, %v", info.Size(), info.Mode(), err)
	}
	sealed := first.Seal("AKIA1", "secret")
	again, err := OpenFile(path, true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err := again.Open("AKIA1", sealed); err != nil || secret != "secret" {
		t.Errorf("opened %q, %v after a restart", secret, err)
	}
	if !bytes.Equal(first.TokenKey(), again.TokenKey()) || len(first.TokenKey()) != 32 {
		t.Error("page tokens do not outlive a restart")
	}
	if onlyFiles(t, filepath.Dir(path)) != "secret.key" {
		t.Errorf("left behind: %s", onlyFiles(t, filepath.Dir(path)))
	}
}

func TestKeyFileIsMadeByOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret.key")
	keys := make([]*File, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = OpenFile(path, true, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != nil && !bytes.Equal(k.TokenKey(), keys[0].TokenKey()) {
			t.Fatal("two that started at once have different keys")
		}
	}
}

func TestKeyFileRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(path string) error
		want    string
	}{
		"readable by the group": {func(p string) error { return writeMode(p, 32, 0o640) }, "chmod 600"},
		"readable by all":       {func(p string) error { return writeMode(p, 32, 0o604) }, "can be used by others (mode 0604)"},
		"too short":             {func(p string) error { return writeMode(p, 31, 0o600) }, "not a key file"},
		"too long":              {func(p string) error { return writeMode(p, 33, 0o600) }, "not a key file"},
		"empty":                 {func(p string) error { return writeMode(p, 0, 0o600) }, "not a key file"},
		"a folder":              {func(p string) error { return os.Mkdir(p, 0o700) }, "not a key file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "secret.key")
			if err := c.prepare(path); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenFile(path, true, rand.Reader); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("no randomness", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "secret.key")
		broken := errors.New("no entropy")
		if _, err := OpenFile(path, true, iotest.ErrReader(broken)); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Error("a key without randomness was written")
		}
	})
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		if _, err := OpenFile(filepath.Join(t.TempDir(), "no", "secret.key"), true, rand.Reader); err == nil {
			t.Error("no error")
		}
	})
}

func TestSealedSecrets(t *testing.T) {
	t.Parallel()
	k, err := newFile(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newFile(bytes.Repeat([]byte{8}, 32))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		id, secret := rapid.String().Draw(t, "id"), rapid.String().Draw(t, "secret")
		sealed := k.Seal(id, secret)
		if opened, err := k.Open(id, sealed); err != nil || opened != secret {
			t.Fatalf("opened %q, %v", opened, err)
		}
		if _, err := k.Open(id+"x", sealed); err == nil {
			t.Error("opened for another id")
		}
		if _, err := other.Open(id, sealed); err == nil {
			t.Error("opened with another key file")
		}
		if bytes.Equal(k.Seal(id, secret), sealed) {
			t.Error("sealed twice to the same bytes")
		}
		at := rapid.IntRange(0, len(sealed)-1).Draw(t, "at")
		sealed[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
		if _, err := k.Open(id, sealed); err == nil {
			t.Errorf("opened with byte %d changed", at)
		}
		if _, err := k.Open(id, sealed[:at]); err == nil {
			t.Errorf("opened with %d bytes", at)
		}
	})
}

func TestSubKeysDiffer(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{7}, 32)
	k, err := newFile(key)
	if err != nil {
		t.Fatal(err)
	}
	k.TokenKey()[0] ^= 1 // a copy
	if bytes.Equal(k.TokenKey(), key) || k.TokenKey()[0] == k.TokenKey()[0]^1 {
		t.Error("page tokens are sealed with the key file itself")
	}
}

func TestAccessKeysHaveAWSShapes(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for range 100 {
		id, secret, err := newAccessKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(id) || !regexp.MustCompile(`^[A-Za-z0-9+/]{40}$`).MatchString(secret) {
			t.Errorf("%s %s", id, secret)
		}
		if ids[id] || ids[secret] {
			t.Error("the same twice")
		}
		ids[id], ids[secret] = true, true
	}
	if _, _, err := newAccessKey(io.LimitReader(rand.Reader, 39)); err == nil {
		t.Error("made of too little randomness")
	}
}

func writeMode(path string, size int, mode os.FileMode) error {
	if err := os.WriteFile(path, make([]byte, size), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // whatever the umask
}

// onlyFiles are the names in a folder, with commas.
func onlyFiles(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, ",")
}
