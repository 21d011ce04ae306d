package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
)

// CredentialsName is what the file of the administrator's key is called, in the data folder.
const CredentialsName = "credentials"

// First makes the administrator's key, with that one's policy, where there is none, and writes it to a file that AWS's tools read as
// AWS_SHARED_CREDENTIALS_FILE. Who calls it owns the folder.
//
// The key counts from the moment when it is in the database, and its secret is nowhere but in the file. So the file is there
// before that, by a name that says whose secret it holds, and gets its own name after it: whenever the process is killed,
// the next one finds either a key whose file it can finish, or a file whose key never was.
func (k *Ring) First(ctx context.Context, path, policy string) (made bool, err error) {
	if made, err = k.finish(ctx, path); made || err != nil || !k.none {
		return made, err
	}
	if _, missing := os.Lstat(path); missing == nil {
		return false, &fault.UsageError{Err: fmt.Errorf("%s is there already, but the database beside it is new and knows no keys: "+
			"move it away, or name another folder with --data", path)}
	}
	key, secret, err := k.Make("administrator", policy)
	if err != nil {
		return false, err
	}
	pending := pendingPrefix(path) + key.ID
	if err = writeNew(pending, credentialsText(key.ID, secret)); err != nil {
		return false, fmt.Errorf("write the credentials: %w", err)
	}
	if err = k.store.CreateKey(ctx, key); err != nil {
		return false, err // whether the key is there: the next start looks, and says whose key file counts
	}
	return true, publish(pending, path)
}

// finish puts right what a process has left that was killed while it made the first key.
func (k *Ring) finish(ctx context.Context, path string) (made bool, err error) {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return false, fmt.Errorf("look for unfinished credentials: %w", err)
	}
	for _, e := range entries {
		file := filepath.Join(folder, e.Name())
		id, pending := strings.CutPrefix(file, pendingPrefix(path))
		switch {
		case pending:
			_, err = k.store.Key(ctx, id)
			if err == nil {
				made, err = true, publish(file, path)
			} else if service.KindOf(err) == service.NotFound {
				err = os.Remove(file)
			}
		case strings.HasPrefix(file, unfinishedPrefix(filepath.Join(folder, FileName))),
			strings.HasPrefix(e.Name(), "."+filepath.Base(pendingPrefix(path))): // of credentials that were not even pending
			err = os.Remove(file)
		}
		if err != nil {
			return false, fmt.Errorf("finish what was begun with %s: %w", file, err)
		}
	}
	return made, nil
}

// pendingPrefix is what the name of credentials begins with that are not published yet; the key's id follows.
func pendingPrefix(path string) string {
	return filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path)+"-")
}

// publish gives credentials their own name, which is nobody else's yet.
func publish(pending, path string) error {
	// Unlike a rename, a link never takes the place of a file. One that is there is this one, or somebody's own.
	if err := os.Link(pending, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("publish the credentials: %w", err)
	}
	if err := os.Remove(pending); err != nil {
		return fmt.Errorf("publish the credentials: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func credentialsText(id, secret string) []byte {
	return fmt.Appendf(nil, "# Spotter's administrator. Whoever can read this may do everything.\n"+
		"[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", id, secret)
}
