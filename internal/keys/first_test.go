package keys

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// folder is a data folder without a server.
type folder struct {
	t           *testing.T
	path        string
	credentials string
	store       service.Store
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	f := &folder{t: t, path: t.TempDir()}
	f.credentials = filepath.Join(f.path, CredentialsName)
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "spotter.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.store = sqlite.New(db, nil)
	return f
}

// start does what a server's start does about the first key. The store may be one that fails.
func (f *folder) start(store service.KeyStore) (made bool, err error) {
	f.t.Helper()
	k, err := Open(f.t.Context(), store, Place{File: filepath.Join(f.path, FileName)}, time.Now)
	if err != nil {
		f.t.Fatal(err)
	}
	return k.First(f.t.Context(), f.credentials, "{}")
}

// usable fails if the credentials are not those of a key that the server knows, the only one.
func (f *folder) usable() {
	f.t.Helper()
	text, err := os.ReadFile(f.credentials)
	if err != nil {
		f.t.Fatal(err)
	}
	keys, err := f.store.Keys(f.t.Context())
	if err != nil || len(keys) != 1 {
		f.t.Fatalf("%d keys, %v", len(keys), err)
	}
	file, err := OpenFile(filepath.Join(f.path, FileName), false, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	secret, err := file.Open(keys[0].ID, keys[0].Sealed)
	if err != nil || string(text) != string(credentialsText(keys[0].ID, secret)) {
		f.t.Errorf("the credentials are %q, the key is %s, %v", text, keys[0].ID, err)
	}
	if info, err := os.Stat(f.credentials); err != nil || info.Mode().Perm() != 0o600 {
		f.t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := onlyFiles(f.t, f.path); got != "credentials,secret.key" {
		f.t.Errorf("the folder has %s", got)
	}
}

func TestFirstKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for n, want := range []bool{true, false, false} {
		if made, err := f.start(f.store); made != want || err != nil {
			t.Errorf("start %d: made %t, %v", n+1, made, err)
		}
		f.usable()
	}
}

// interrupted is a store that makes a key, or does not, and in both cases never answers: the process is as good as dead.
type interrupted struct {
	service.KeyStore
	done bool
}

var errKilled = errors.New("killed")

func (s interrupted) CreateKey(ctx context.Context, k *service.AccessKey) error {
	if s.done {
		if err := s.KeyStore.CreateKey(ctx, k); err != nil {
			return err
		}
	}
	return errKilled
}

func TestFirstKeySurvivesKills(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(*folder) error{
		"before the key was kept": func(f *folder) error {
			_, err := f.start(interrupted{KeyStore: f.store})
			return err
		},
		"after the key was kept": func(f *folder) error {
			_, err := f.start(interrupted{KeyStore: f.store, done: true})
			return err
		},
		"while the file of the key was written": func(f *folder) error {
			return errors.Join(errKilled, os.WriteFile(filepath.Join(f.path, ".secret.key.123"), []byte("half"), 0o600))
		},
		"while the credentials were written": func(f *folder) error {
			return errors.Join(errKilled, os.WriteFile(filepath.Join(f.path, ".new-credentials-AKIA"), []byte("half"), 0o600))
		},
		"while they got their name": func(f *folder) error {
			if _, err := f.start(f.store); err != nil {
				return err
			}
			keys, err := f.store.Keys(f.t.Context())
			return errors.Join(errKilled, err, os.Link(f.credentials, pendingPrefix(f.credentials)+keys[0].ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFolder(t)
			if err := kill(f); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			if _, err := f.start(f.store); err != nil {
				t.Fatal(err)
			}
			f.usable()
		})
	}
}

func TestCredentialsOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := os.WriteFile(f.credentials, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	made, err := f.start(f.store)
	if usage := (*fault.UsageError)(nil); made || !errors.As(err, &usage) || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("made %t, %v", made, err)
	}
	if text, err := os.ReadFile(f.credentials); err != nil || string(text) != "mine" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if keys, err := f.store.Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("%d keys were made, %v", len(keys), err)
	}
}
