package awsapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sigv4"
	"github.com/spotter-video/spotter/internal/service"
)

// Keys knows the access keys. Safe for concurrent use.
type Keys interface {
	// Key is a service.Error of kind NotFound if there is none of that id. The id is a stranger's: at most 128 letters,
	// digits and some marks.
	Key(ctx context.Context, id string) (Credential, error)
}

// Credential is what belongs to an access key.
type Credential struct {
	// Secret is what its holder signs with. A key without one lets nobody in.
	Secret string
	// Name is what its holder is called.
	Name string
	// Policy says what its holder may do: an IAM policy document, see [CheckPolicy].
	Policy string
	// Disabled keys let nobody in.
	Disabled bool
}

// Administrator is a policy document that allows everything.
func Administrator() string { return iam.Administrator() }

// CheckPolicy says what is wrong with a policy document; nil if it can be used as [Credential.Policy].
func CheckPolicy(document string) error {
	_, err := iam.Parse(document)
	return err
}

// AllowsEverything says whether a policy document is an administrator's. One that cannot be read allows nothing.
func AllowsEverything(document string) bool {
	p, err := iam.Parse(document)
	return err == nil && p.Everything()
}

// identity is who asks, and what they may do.
type identity struct {
	caller service.Caller
	// policy is nil for who may do everything.
	policy *iam.Policy
}

// credential is what belongs to an access key that lets somebody in. Of others it is said that they are unknown.
func (d *Door) credential(ctx context.Context, id string) (Credential, error) {
	credential, err := d.cfg.Keys.Key(ctx, id)
	if err != nil && service.KindOf(err) != service.NotFound {
		return Credential{}, internal(fmt.Errorf("look up access key %s: %w", id, err))
	}
	if err != nil || credential.Disabled || credential.Secret == "" {
		return Credential{}, refusalOf(sigv4.Unknown())
	}
	return credential, nil
}

// identify checks the signature of a request and says whose it is.
func (d *Door) identify(ctx context.Context, claim *sigv4.Claim, body []byte) (*identity, error) {
	credential, err := d.credential(ctx, claim.KeyID)
	if err != nil {
		return nil, err
	}
	if err = claim.Verify(ctx, credential.Secret, body); err != nil {
		return nil, refusalOf(err)
	}
	who := &identity{caller: service.Caller{Key: claim.KeyID, Name: d.userARN(credential.Name, claim.KeyID)}}
	who.policy, err = iam.Parse(credential.Policy)
	if err != nil { // nobody is let in by a policy that says nothing clear
		d.cfg.Log.LogAttrs(ctx, slog.LevelError, "policy of access key cannot be read, so it allows nothing",
			slog.String("key", claim.KeyID), slog.Any("error", err))
		who.policy = new(iam.Policy)
	}
	return who, nil
}

// userARN is what AWS calls somebody.
func (d *Door) userARN(name, key string) string {
	if name == "" {
		name = key
	}
	return "arn:aws:iam::" + d.cfg.Account + ":user/" + name
}

// anybody is who asks where signatures are not checked. Web pages can ask too, from the browsers of this machine: of these only
// those may that are named.
func (d *Door) anybody(r *http.Request) (*identity, error) {
	if r.Header.Get("Origin") != "" && (d.cors == nil || !d.cors.OriginAllowed(r)) {
		return nil, frontEnd("AccessDeniedException", http.StatusForbidden,
			"Signatures are not checked here, so web pages may ask only if their origin is one of the setting allowed-origins")
	}
	return &identity{caller: service.Caller{Name: "arn:aws:iam::" + d.cfg.Account + ":root"}}, nil
}

// sourceOf is the address that a request came from.
func sourceOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
