package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
)

// Place says where the key file is.
type Place struct {
	File string
	// Shared says that the database is one that processes share, all with the same key file.
	Shared bool
}

// Ring is the access keys, whose secrets can be read with the key file only. Safe for concurrent use.
type Ring struct {
	*File
	store service.KeyStore
	now   func() time.Time
	none  bool // whether there was no key when it was opened
	lost  []string
}

// Open reads the key file, and refuses one that does not open the secrets of the access keys: page tokens and new keys would
// be sealed with it, and no one be let in. It is made where there are no keys yet.
func Open(
	ctx context.Context, store service.KeyStore, p Place, now func() time.Time,
) (*Ring, error) {
	list, err := store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if _, missing := os.Lstat(p.File); errors.Is(missing, fs.ErrNotExist) && p.Shared && len(list) > 0 {
		return nil, &fault.EnvironmentError{Err: fmt.Errorf("the key file %s is missing", p.File), Mend: commonKeyFile}
	}
	file, err := OpenFile(p.File, len(list) == 0, rand.Reader)
	if err != nil {
		return nil, err
	}
	k := &Ring{File: file, store: store, now: now, none: len(list) == 0}
	for i := range list {
		if _, sealed := file.Open(list[i].ID, list[i].Sealed); sealed != nil {
			k.lost = append(k.lost, list[i].ID)
		}
	}
	sealer, err := store.Sealer(ctx)
	if err != nil {
		return nil, err
	}
	if sealer != nil && !bytes.Equal(sealer, file.print) || !k.none && len(k.lost) == len(list) {
		return nil, wrongKeyFile(p, len(list))
	}
	return k, nil
}

// commonKeyFile says what to do where the key file is missing, or another one.
const commonKeyFile = "Processes that share a database have the same key file: copy it from the data folder of the one that was started first, " +
	"or name it with --sealing-key."

func wrongKeyFile(p Place, keys int) error {
	path := p.File
	if p.Shared {
		return &fault.EnvironmentError{
			Err:  fmt.Errorf("the key file %s is not the one that the database belongs to", path),
			Mend: commonKeyFile,
		}
	}
	return &fault.EnvironmentError{
		Err: fmt.Errorf("the key file %s is not the one that the database belongs to: it opens none of the %d access keys there", path, keys),
		Mend: "Put the right one back from where it is kept apart from backups, or the database that belongs to this one. If it is lost, " +
			"remove the file, the file " + CredentialsName + " beside it and all access keys ('spotter key delete --force'); the next start " +
			"makes new ones.",
	}
}

// Lost are the ids of the keys whose secrets the key file does not open, while it opens others: they let nobody in.
func (k *Ring) Lost() []string { return k.lost }

// Key is what belongs to an access key, its secret included.
type Key struct {
	Secret, Name, Policy string
	Disabled, Background bool
}

// Key finds an access key by its id, and opens its secret.
func (k *Ring) Key(ctx context.Context, id string) (Key, error) {
	key, err := k.store.Key(ctx, id)
	if err != nil {
		return Key{}, err
	}
	secret, err := k.Open(key.ID, key.Sealed)
	if err != nil {
		return Key{}, err
	}
	return Key{Secret: secret, Name: key.Name, Policy: key.Policy, Disabled: key.Disabled, Background: key.Background}, nil
}

// Make makes a key that is kept nowhere yet, and says its secret. The policy is taken as it is.
func (k *Ring) Make(name, policy string) (*service.AccessKey, string, error) {
	id, secret, err := newAccessKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	key := &service.AccessKey{ID: id, Sealed: k.Seal(id, secret), Sealer: k.print, Name: name, Policy: policy, Created: k.now()}
	return key, secret, nil
}
