package awsapi

import (
	"context"
	"errors"
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
	// Background says that the holder's jobs wait for those of others.
	Background bool
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
	// user is what the holder of the access key is called; empty for nobody's.
	user string
	// session is what temporary credentials stand for; nil for an access key itself.
	session *Session
	rights  rights
}

// holder is whose the credentials of a claim are, if the claim is true.
type holder struct {
	// key is the id of the access key, credential what belongs to it; empty for a session that is of none.
	key        string
	credential Credential
	session    *Session // nil for the key itself
	secret     string
}

// holder looks up the credentials of a claim that let somebody in. Of others it is said that they are unknown, or expired.
func (d *Door) holder(ctx context.Context, claim *sigv4.Claim) (*holder, error) {
	h := &holder{key: claim.KeyID}
	if claim.Token != "" {
		var err error
		switch h.session, h.secret, err = d.cfg.Sessions.open(claim.KeyID, claim.Token); {
		case errors.Is(err, errExpired):
			return nil, refusalOf(sigv4.Over())
		case err != nil:
			return nil, refusalOf(sigv4.Unknown())
		}
		if _, there := d.cfg.Roles[h.session.Role]; h.session.Role != "" && !there {
			return nil, refusalOf(sigv4.Unknown())
		}
		if h.key = h.session.Key; h.key == "" {
			return h, nil
		}
	}
	var err error
	if h.credential, err = d.credential(ctx, h.key); err != nil {
		return nil, err
	}
	if h.session == nil {
		h.secret = h.credential.Secret
	}
	return h, nil
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

// identify says who a holder is, and what they may do. A session has the rights of its role or else of its key, as far as its
// policy does not narrow them.
func (d *Door) identify(ctx context.Context, h *holder) *identity {
	who := &identity{session: h.session, user: h.credential.Name}
	who.caller = service.Caller{Key: h.key, Name: d.userARN(h.credential.Name, h.key), Background: h.credential.Background}
	document := h.credential.Policy
	if s := h.session; s != nil && s.Role != "" {
		document, who.caller.Name = d.cfg.Roles[s.Role].Policy, d.sessionARN(s)
		if who.caller.Key == "" {
			who.caller.Key = "role/" + s.Role
		}
	}
	documents := []string{document}
	if h.session != nil && h.session.Policy != "" {
		documents = append(documents, h.session.Policy)
	}
	for _, document := range documents {
		policy, err := iam.Parse(document)
		if err != nil { // nobody is let in by a policy that says nothing clear
			d.cfg.Log.LogAttrs(ctx, slog.LevelError, "policy of access key or role cannot be read, so it allows nothing",
				slog.String("key", h.key), slog.String("name", who.caller.Name), slog.Any("error", err))
			policy = new(iam.Policy)
		}
		who.rights.policies = append(who.rights.policies, policy)
	}
	return who
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
	return &identity{
		caller: service.Caller{Name: "arn:aws:iam::" + d.cfg.Account + ":root"}, rights: rights{everything: true},
	}, nil
}

// sourceOf is the address that a request came from.
func sourceOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
