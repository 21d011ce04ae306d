package app

import (
	"context"
	"crypto/rand"
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
