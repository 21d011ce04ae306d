package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/service"
)

// keyring is the access keys, whose secrets can be read with the key file only. Safe for concurrent use.
type keyring struct {
	*keyFile
	store service.KeyStore
	now   func() time.Time
	none  bool // whether there was no key when it was opened
	// lost are the ids of keys whose secrets this key file does not open, when others do.
	lost []string
}

// openKeyring reads the key file, and refuses one that does not open the secrets of the access keys: page tokens and new keys would
// be sealed with it, and no one be let in. It is made where there are no keys yet.
func openKeyring(
	ctx context.Context, store service.KeyStore, s *config.Server, now func() time.Time,
) (*keyring, error) {
	list, err := store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if _, missing := os.Lstat(s.SecretKey()); errors.Is(missing, fs.ErrNotExist) && s.Database != "" && len(list) > 0 {
		return nil, &EnvironmentError{Err: fmt.Errorf("the key file %s is missing", s.SecretKey()), Mend: commonKeyFile}
	}
	file, err := openKeyFile(s.SecretKey(), len(list) == 0, rand.Reader)
	if err != nil {
		return nil, err
	}
	k := &keyring{keyFile: file, store: store, now: now, none: len(list) == 0}
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
		return nil, wrongKeyFile(s, len(list))
	}
	return k, nil
}

// commonKeyFile says what to do where the key file is missing, or another one.
const commonKeyFile = "Processes that share a database have the same key file: copy it from the data folder of the one that was started first, " +
	"or name it with --sealing-key."

func wrongKeyFile(s *config.Server, keys int) error {
	path := s.SecretKey()
	if s.Database != "" {
		return &EnvironmentError{
			Err:  fmt.Errorf("the key file %s is not the one that the database belongs to", path),
			Mend: commonKeyFile,
		}
	}
	return &EnvironmentError{
		Err: fmt.Errorf("the key file %s is not the one that the database belongs to: it opens none of the %d access keys there", path, keys),
		Mend: "Put the right one back from where it is kept apart from backups, or the database that belongs to this one. If it is lost, " +
			"remove the file, the file " + credentialsFile + " beside it and all access keys ('spotter key delete --force'); the next start " +
			"makes new ones.",
	}
}

// Key implements [awsapi.Keys].
func (k *keyring) Key(ctx context.Context, id string) (awsapi.Credential, error) {
	key, err := k.store.Key(ctx, id)
	if err != nil {
		return awsapi.Credential{}, err
	}
	secret, err := k.Open(key.ID, key.Sealed)
	if err != nil {
		return awsapi.Credential{}, err
	}
	return awsapi.Credential{Secret: secret, Name: key.Name, Policy: key.Policy, Disabled: key.Disabled}, nil
}

// make makes a key that is kept nowhere yet.
func (k *keyring) make(name, policy string) (*service.AccessKey, string, error) {
	if err := awsapi.CheckPolicy(policy); err != nil {
		return nil, "", &UsageError{err}
	}
	id, secret, err := newAccessKey(rand.Reader)
	if err != nil {
		return nil, "", err
	}
	key := &service.AccessKey{ID: id, Sealed: k.Seal(id, secret), Sealer: k.print, Name: name, Policy: policy, Created: k.now()}
	return key, secret, nil
}
