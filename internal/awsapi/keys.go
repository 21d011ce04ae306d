package awsapi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

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

// decoy is what requests of keys that do not exist are checked against, so that they take as long as those of keys that
// do. Signing with it lets nobody in.
const decoy = "a secret of as many bytes as secrets are"

// knows says whether there is such an access key that lets somebody in.
func (d *Door) knows(ctx context.Context, id string) (bool, error) {
	credential, err := d.cfg.Keys.Key(ctx, id)
	if err != nil && service.KindOf(err) != service.NotFound {
		return false, internal(fmt.Errorf("look up access key %s: %w", id, err))
	}
	return err == nil && !credential.Disabled && credential.Secret != "", nil
}

// identify checks the signature of a request and says whose it is.
func (d *Door) identify(ctx context.Context, claim *sigv4.Claim, body []byte) (*identity, error) {
	credential, err := d.cfg.Keys.Key(ctx, claim.KeyID)
	known := err == nil && !credential.Disabled && credential.Secret != ""
	if err != nil && service.KindOf(err) != service.NotFound {
		return nil, internal(fmt.Errorf("look up access key %s: %w", claim.KeyID, err))
	}
	if !known {
		credential.Secret = decoy
	}
	err = claim.Verify(ctx, credential.Secret, body)
	if !known {
		err = sigv4.Unknown()
	}
	if err != nil {
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

// anybody is who asks where signatures are not checked, if they ask from this machine for this machine. A web page of a
// stranger could ask from here as well, under a name of its own that leads here: hence the look at the host.
func (d *Door) anybody(r *http.Request) (*identity, error) {
	if !loopback(r.Host) {
		return nil, frontEnd("AccessDeniedException", http.StatusBadRequest,
			"Signatures are not checked here, so requests are taken from this machine only, for localhost or 127.0.0.1")
	}
	return &identity{caller: service.Caller{Name: "arn:aws:iam::" + d.cfg.Account + ":root"}}, nil
}

// loopback says whether host, with or without a port, is a name of this machine for itself.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}

// sourceOf is the address that a request came from.
func sourceOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
