package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/webidentity"
)

// MaxPolicyFile is more than any policy document may have, in bytes, with room for a message about that.
const MaxPolicyFile = 64 << 10

// rolesOf reads the roles of a configuration with their policies.
func rolesOf(s *config.Server) (map[string]awsapi.Role, error) {
	roles := map[string]awsapi.Role{}
	for _, name := range slices.Sorted(maps.Keys(s.Roles)) {
		r := s.Roles[name]
		policy, err := config.ReadFile(string(r.Policy), MaxPolicyFile)
		if err == nil {
			err = awsapi.CheckPolicy(string(policy))
		}
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("roles.%s.policy: %w", name, err)}
		}
		roles[name] = awsapi.Role{Trust: texts(r.Trust), Policy: string(policy), Longest: r.Duration()}
	}
	return roles, nil
}

// webIdentities are the identity providers that roles trust, by the role.
type webIdentities map[string]*webidentity.Checker

func webIdentitiesOf(s *config.Server, now func() time.Time) (webIdentities, error) {
	all := webIdentities{}
	for name, r := range s.Roles {
		w := r.WebIdentity
		if w == nil {
			continue
		}
		checker, err := webidentity.New(webidentity.Trust{
			Issuer: string(w.Issuer), Audience: string(w.Audience), Subjects: texts(w.Subjects), CAFile: string(w.CAFile),
		}, now)
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("roles.%s.web-identity: %w", name, err)}
		}
		all[name] = checker
	}
	return all, nil
}

// Verify implements [awsapi.WebIdentities].
func (w webIdentities) Verify(ctx context.Context, role, token string) (awsapi.WebIdentity, error) {
	checker := w[role]
	if checker == nil {
		return awsapi.WebIdentity{}, awsapi.ErrNoProvider
	}
	holder, err := checker.Verify(ctx, token)
	if errors.Is(err, webidentity.ErrUntrusted) {
		err = fmt.Errorf("%w: %w", awsapi.ErrUntrusted, err)
	}
	return awsapi.WebIdentity(holder), err
}

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
	if _, known := o.config.Roles[r.Role]; r.Role != "" && !known {
		return nil, &fault.UsageError{Err: fmt.Errorf("the configuration has no role %q: it has %q", r.Role, slices.Sorted(maps.Keys(o.config.Roles)))}
	}
	key, err := o.store.Key(ctx, r.Key)
	if err != nil {
		return nil, noSuchKey(r.Key, err)
	}
	if key.Disabled {
		return nil, &fault.UsageError{Err: fmt.Errorf("the access key %s is disabled: 'spotter key enable' lets it in again", r.Key)}
	}
	ring, err := keys.Open(ctx, o.store, keyPlace(&o.config), o.request.Now)
	if err != nil {
		return nil, err
	}
	sessions, err := awsapi.NewSessions(ring.SessionKey(), o.request.Now)
	if err != nil {
		return nil, err
	}
	session := awsapi.Session{Key: key.ID, Role: r.Role, Policy: r.Policy, Expires: o.request.Now().Add(r.For)}
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
