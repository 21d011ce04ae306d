package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/service"
)

// AccessKey is an access key without its secret.
type AccessKey struct {
	ID   string `json:"access_key_id"`
	Name string `json:"name"`
	// Administrator says that the policy allows everything.
	Administrator bool `json:"administrator"`
	Disabled      bool `json:"disabled"`
	// Background says that its jobs wait for those of other keys.
	Background bool      `json:"background"`
	Created    time.Time `json:"created"`
	// Policy is the IAM policy document, as it was given.
	Policy json.RawMessage `json:"policy"`
}

func accessKey(k *service.AccessKey) AccessKey {
	return AccessKey{
		ID: k.ID, Name: k.Name, Administrator: awsapi.AllowsEverything(k.Policy), Disabled: k.Disabled, Background: k.Background, Created: k.Created.UTC(),
		Policy: json.RawMessage(k.Policy),
	}
}

// MadeKey is an access key that has just been made, the only time that its secret can be seen.
type MadeKey struct {
	AccessKey
	Secret string `json:"secret_access_key"`
}

// userName is what IAM takes as the name of a user, and with it what can stand in an ARN.
var userName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)

// CreateKey makes an access key for whoever goes by a name; several keys may have the same. An empty policy is an
// administrator's. The jobs of a background key wait for those of others.
func (o *Operator) CreateKey(ctx context.Context, name, policy string, background bool) (*MadeKey, error) {
	if !userName.MatchString(name) {
		return nil, &fault.UsageError{Err: fmt.Errorf("the name %q cannot be used: it must have 1 to 64 letters, digits and _+=,.@-", name)}
	}
	if policy == "" {
		policy = awsapi.Administrator()
	}
	ring, err := keys.Open(ctx, o.store, o.config.Keys, o.config.Now)
	if err != nil {
		return nil, err
	}
	if err = awsapi.CheckPolicy(policy); err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	key, secret, err := ring.Make(name, policy)
	if err != nil {
		return nil, err
	}
	key.Background = background
	err = o.audited(ctx, "CreateKey", "key/"+key.ID, func(ctx context.Context) error { return o.store.CreateKey(ctx, key) })
	if err != nil {
		return nil, err
	}
	return &MadeKey{AccessKey: accessKey(key), Secret: secret}, nil
}

// Keys lists all access keys, the oldest first.
func (o *Operator) Keys(ctx context.Context) ([]AccessKey, error) {
	list, err := o.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]AccessKey, len(list))
	for i := range list {
		all[i] = accessKey(&list[i])
	}
	return all, nil
}

// Key is one access key.
func (o *Operator) Key(ctx context.Context, id string) (AccessKey, error) {
	k, err := o.store.Key(ctx, id)
	if err != nil {
		return AccessKey{}, noSuchKey(id, err)
	}
	return accessKey(k), nil
}

// EnableKey lets a disabled key in again.
func (o *Operator) EnableKey(ctx context.Context, id string) error {
	return o.setKey(ctx, "EnableKey", id, true, func(k *service.AccessKey) { k.Disabled = false })
}

// DisableKey lets a key in no more, until it is enabled again. The last administrator's key that works stays, unless force is
// set.
func (o *Operator) DisableKey(ctx context.Context, id string, force bool) error {
	return o.setKey(ctx, "DisableKey", id, force, func(k *service.AccessKey) { k.Disabled = true })
}

// SetKeyPolicy gives a key another policy. The last administrator's key that works stays one, unless force is set.
func (o *Operator) SetKeyPolicy(ctx context.Context, id, policy string, force bool) error {
	if err := awsapi.CheckPolicy(policy); err != nil {
		return &fault.UsageError{Err: err}
	}
	return o.setKey(ctx, "SetKeyPolicy", id, force, func(k *service.AccessKey) { k.Policy = policy })
}

// SetKeyBackground has the jobs that a key begins from now on wait for those of others, or not.
func (o *Operator) SetKeyBackground(ctx context.Context, id string, background bool) error {
	return o.setKey(ctx, "SetKeyBackground", id, true, func(k *service.AccessKey) { k.Background = background })
}

// DeleteKey removes a key for good. The last administrator's key that works stays, unless force is set.
func (o *Operator) DeleteKey(ctx context.Context, id string, force bool) error {
	if _, err := o.store.Key(ctx, id); err != nil {
		return noSuchKey(id, err)
	}
	if err := o.spare(ctx, id, force); err != nil {
		return err
	}
	return o.audited(ctx, "DeleteKey", "key/"+id, func(ctx context.Context) error { return noSuchKey(id, o.store.DeleteKey(ctx, id)) })
}

func (o *Operator) setKey(ctx context.Context, operation, id string, force bool, change func(*service.AccessKey)) error {
	k, err := o.store.Key(ctx, id)
	if err != nil {
		return noSuchKey(id, err)
	}
	change(k)
	if !opensEverything(k) {
		if err := o.spare(ctx, id, force); err != nil {
			return err
		}
	}
	return o.audited(ctx, operation, "key/"+id, func(ctx context.Context) error { return noSuchKey(id, o.store.SetKey(ctx, k)) })
}

// spare refuses to take away the last administrator's key that works.
func (o *Operator) spare(ctx context.Context, id string, force bool) error {
	if force {
		return nil
	}
	list, err := o.store.Keys(ctx)
	if err != nil {
		return err
	}
	is, others := false, false
	for i := range list {
		if works := opensEverything(&list[i]); list[i].ID == id {
			is = works
		} else {
			others = others || works
		}
	}
	if is && !others {
		return &fault.UsageError{Err: fmt.Errorf("%s is the last administrator's key that works: make another one first "+
			"('spotter key create'), or insist with --force", id)}
	}
	return nil
}

func opensEverything(k *service.AccessKey) bool {
	return !k.Disabled && awsapi.AllowsEverything(k.Policy)
}

func noSuchKey(id string, err error) error {
	if service.KindOf(err) == service.NotFound {
		return &fault.UsageError{Err: fmt.Errorf("there is no access key %s: 'spotter key list' shows those that there are", id)}
	}
	return err
}
