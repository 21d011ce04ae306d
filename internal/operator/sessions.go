package operator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
)

// TemporaryCredentials are an access key for a while, in the form that AWS's tools read from a credential_process.
type TemporaryCredentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
	// Name is whose they are, and Role the role that they have taken on; empty for the key's own rights.
	Name string `json:"-"`
	Role string `json:"-"`
}

// SessionRequest asks for temporary credentials.
type SessionRequest struct {
	// Key is the id of the access key whose rights they have, as long as it is there and not disabled.
	Key string
	// Role is the name of a role of the configuration whose rights they have instead; empty for none.
	Role string
	// Policy narrows the rights: an IAM policy document; empty for all of them.
	Policy string
	// For is how long they last.
	For time.Duration
}

// The shortest and the longest time that temporary credentials may last: those of AWS's GetSessionToken.
const (
	ShortestSession = 15 * time.Minute
	LongestSession  = 36 * time.Hour
)

// CreateSession makes temporary credentials of an access key. Whoever can read the key file may have any role.
func (o *Operator) CreateSession(ctx context.Context, r SessionRequest) (*TemporaryCredentials, error) {
	if r.For < ShortestSession || r.For > LongestSession {
		return nil, &fault.UsageError{Err: fmt.Errorf("temporary credentials last %v to %v, not %v", ShortestSession, LongestSession, r.For)}
	}
	if r.Policy != "" {
		if err := awsapi.CheckPolicy(r.Policy); err != nil {
			return nil, &fault.UsageError{Err: err}
		}
	}
	if r.Role != "" && !slices.Contains(o.config.Roles, r.Role) {
		return nil, &fault.UsageError{Err: fmt.Errorf("the configuration has no role %q: it has %q", r.Role, o.config.Roles)}
	}
	key, err := o.store.Key(ctx, r.Key)
	if err != nil {
		return nil, noSuchKey(r.Key, err)
	}
	if key.Disabled {
		return nil, &fault.UsageError{Err: fmt.Errorf("the access key %s is disabled: 'spotter key enable' lets it in again", r.Key)}
	}
	ring, err := keys.Open(ctx, o.store, o.config.Keys, o.config.Now)
	if err != nil {
		return nil, err
	}
	sessions, err := awsapi.NewSessions(ring.SessionKey(), o.config.Now)
	if err != nil {
		return nil, err
	}
	session := awsapi.Session{Key: key.ID, Role: r.Role, Policy: r.Policy, Expires: o.config.Now().Add(r.For)}
	if r.Role != "" {
		session.Name = key.Name
	}
	var made awsapi.Temporary
	err = o.audited(ctx, "CreateSession", "key/"+key.ID, func(context.Context) (err error) {
		made, err = sessions.Issue(session)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &TemporaryCredentials{
		Version: 1, AccessKeyID: made.KeyID, SecretAccessKey: made.Secret, SessionToken: made.Token, Expiration: made.Expires,
		Name: key.Name, Role: r.Role,
	}, nil
}
