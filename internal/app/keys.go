package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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
}

// openKeyring reads the key file. It is made where there are no keys yet.
func openKeyring(
	ctx context.Context, store service.KeyStore, s *config.Server, now func() time.Time,
) (*keyring, error) {
	list, err := store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	file, err := openKeyFile(dataFile(s, keyFileName), len(list) == 0, rand.Reader)
	if err != nil {
		return nil, err
	}
	return &keyring{keyFile: file, store: store, now: now, none: len(list) == 0}, nil
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

// create makes a key and keeps it.
func (k *keyring) create(ctx context.Context, name, policy string) (*service.AccessKey, string, error) {
	key, secret, err := k.make(name, policy)
	if err != nil {
		return nil, "", err
	}
	return key, secret, k.store.CreateKey(ctx, key)
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
	key := &service.AccessKey{ID: id, Sealed: k.Seal(id, secret), Name: name, Policy: policy, Created: k.now()}
	return key, secret, nil
}

// first makes the administrator's key where there is none, and writes it to a file of credentials.
func (k *keyring) first(ctx context.Context, path string) (made bool, err error) {
	if !k.none {
		return false, nil
	}
	key, secret, err := k.create(ctx, "administrator", awsapi.Administrator())
	if err != nil {
		return false, err
	}
	written, err := writeCredentials(path, key.ID, secret)
	if err == nil && !written {
		err = &UsageError{fmt.Errorf("%s is there already, but the database beside it is new and knows no keys: "+
			"move it away, or name another folder with --data", path)}
	}
	if err != nil {
		return false, errors.Join(err, k.store.DeleteKey(ctx, key.ID))
	}
	return true, nil
}
