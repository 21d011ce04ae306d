package awsapi

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sts"
)

// Role is a set of rights that callers may take on for a while.
type Role struct {
	// Trust is who may: names of users, "role/NAME" for sessions of another role, or "*" for whoever has an access key, but not for
	// holders of web identities.
	Trust []string
	// Policy says what the role may do: an IAM policy document, see [CheckPolicy].
	Policy string
	// Longest is how long it may be taken on at once.
	Longest time.Duration
}

// WebIdentities checks tokens of identity providers. Safe for concurrent use.
type WebIdentities interface {
	// Verify says whose token it is, if it is a good one and the role trusts its holder; [ErrUntrusted] if it is not, with the
	// reason, [ErrNoProvider] if the role trusts nobody's, and another error if that cannot be found out.
	Verify(ctx context.Context, role, token string) (WebIdentity, error)
}

// WebIdentity is the holder of a token of an identity provider.
type WebIdentity struct{ Subject, Audience, Provider string }

var (
	// ErrUntrusted is a token that lets nobody in.
	ErrUntrusted = errors.New("the token lets nobody in")
	// ErrNoProvider is a role that trusts no identity provider.
	ErrNoProvider = errors.New("the role trusts no identity provider")
)

// isForm says that a request is to the token service, whose query protocol no other service here speaks.
func isForm(r *http.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") && r.Header.Get("X-Amz-Target") == ""
}

// admitForm is [Door.admit] for the token service.
func (d *Door) admitForm(r *http.Request, b *bill) (*identity, []byte, error) {
	switch {
	case d.cfg.Unsigned:
		return d.admitAnybody(r, b)
	case r.Header.Get("Authorization") != "":
		return d.admitSigned(r, b, sts.Service, sts.MaxBody)
	}
	b.sender = d.cfg.Sender(sourceOf(r))
	body, err := d.receive(r, b, sts.MaxBody)
	return &identity{}, body, err // nobody yet: the holder of a web identity, whose token is in the body
}

// given is what the token service answers.
type given struct {
	action string
	answer *sts.Answer
}

// tokens does what the token service is asked for.
func (d *Door) tokens(ctx context.Context, x *exchange, who *identity, body []byte) (any, error) {
	entry := x.entry
	if who.caller.Name == "" {
		x.entry = nil // nobody's until the token has been found good
	}
	r, err := sts.Parse(body)
	if err != nil {
		return nil, queryFailure(err)
	}
	x.operation = sts.Service + ":" + r.Action
	entry.Operation, entry.Role = x.operation, r.Role
	if x.entry == nil && !d.throttle.stranger() || x.entry != nil && !d.throttle.call(who.caller.Key) {
		return nil, throttled()
	}
	answer, err := (&tokenService{d: d, who: who}).answer(ctx, r)
	if err != nil {
		return nil, queryFailure(err)
	}
	if x.entry == nil {
		x.entry, entry.Name = entry, answer.AssumedRole.ARN
	}
	return &given{r.Action, answer}, nil
}

// queryFailure is an error of the token service as the door's own.
func queryFailure(err error) error {
	if e := (*sts.Error)(nil); errors.As(err, &e) {
		return &failure{exception: e.Code, status: e.Status, message: e.Message}
	}
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	return internal(err)
}

// asQueryError is a failure in the words of the query protocol.
func asQueryError(f *failure) *sts.Error {
	e := &sts.Error{Code: f.exception, Status: f.status, Message: f.message}
	switch f.exception {
	case "UnrecognizedClientException":
		e.Code, e.Status = "InvalidClientTokenId", http.StatusForbidden
	case "ExpiredTokenException":
		e.Code, e.Status = "ExpiredToken", http.StatusForbidden
	case "InvalidSignatureException":
		e.Code, e.Status = "SignatureDoesNotMatch", http.StatusForbidden
	case "MissingAuthenticationTokenException":
		e.Code, e.Status = "MissingAuthenticationToken", http.StatusForbidden
	case "ThrottlingException":
		e.Code = "Throttling"
	case internalServerError:
		e.Code = "InternalFailure"
	}
	return e
}

const (
	// usualRole is how long a role is taken on by who does not say how long: AWS's default.
	usualRole = time.Hour
	// longestChained is how long a role may be taken on by a session of another role: AWS's limit.
	longestChained = time.Hour
)

// tokenService answers a caller's requests to the Security Token Service.
type tokenService struct {
	d   *Door
	who *identity
}

// answer is what a request gets. Errors are [*sts.Error], [*failure] or internal.
func (t *tokenService) answer(ctx context.Context, r *sts.Request) (*sts.Answer, error) {
	switch {
	case r.Action == sts.AssumeRoleWithWebIdentity:
		return t.withWebIdentity(ctx, r)
	case t.who.caller.Name == "":
		return nil, refused("MissingAuthenticationToken", "Request is missing Authentication Token")
	case r.Action == sts.GetCallerIdentity:
		return &sts.Answer{ARN: t.who.caller.Name, UserID: t.who.userID(), Account: t.d.cfg.Account}, nil
	case r.Action == sts.GetSessionToken:
		return t.sessionToken(r)
	default:
		return t.assumeRole(r)
	}
}

func (t *tokenService) sessionToken(r *sts.Request) (*sts.Answer, error) {
	if t.who.session != nil {
		return nil, refused("AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	return t.issue(Session{Key: t.who.caller.Key}, r.Duration)
}

func (t *tokenService) assumeRole(r *sts.Request) (*sts.Answer, error) {
	name, role, known := t.d.role(r.Role)
	action := "sts:" + sts.AssumeRole
	if !known || !t.who.rights.letAssume(action, r.Role) || !t.who.trusted(role.Trust) { // nobody learns which roles there are
		return nil, refused("AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", t.who.caller.Name, action, r.Role)
	}
	longest := role.Longest
	if t.who.session != nil && t.who.session.Role != "" {
		longest = min(longest, longestChained)
	}
	session := Session{Role: name, Name: r.Session, Policy: r.Policy}
	if session.Key = t.who.caller.Key; t.who.session != nil {
		session.Key = t.who.session.Key
	}
	return t.take(session, r.Duration, longest)
}

func (t *tokenService) withWebIdentity(ctx context.Context, r *sts.Request) (*sts.Answer, error) {
	name, role, known := t.d.role(r.Role)
	holder, err := WebIdentity{}, ErrNoProvider
	if known && t.d.cfg.WebIdentities != nil {
		holder, err = t.d.cfg.WebIdentities.Verify(ctx, name, r.WebIdentity)
	}
	switch {
	case errors.Is(err, ErrNoProvider): // strangers do not learn which other roles there are
		return nil, refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	case errors.Is(err, ErrUntrusted):
		return nil, &sts.Error{Code: "InvalidIdentityToken", Status: http.StatusBadRequest, Message: sentence(err)}
	case err != nil:
		return nil, &sts.Error{Code: "IDPCommunicationError", Status: http.StatusBadRequest, Message: "The identity provider cannot be reached."}
	}
	if t.who.caller.Name == "" && !t.d.throttle.call("role/"+name) {
		return nil, throttled()
	}
	out, err := t.take(Session{Role: name, Name: r.Session, Policy: r.Policy}, r.Duration, role.Longest)
	if err != nil {
		return nil, err
	}
	out.SubjectFromWebIdentityToken, out.Audience, out.Provider = holder.Subject, holder.Audience, holder.Provider
	return out, nil
}

// take makes the session of a role.
func (t *tokenService) take(s Session, wanted, longest time.Duration) (*sts.Answer, error) {
	if wanted == 0 {
		wanted = min(usualRole, longest)
	}
	if wanted > longest {
		return nil, &sts.Error{
			Code: "ValidationError", Status: http.StatusBadRequest,
			Message: fmt.Sprintf("The requested DurationSeconds exceeds what may be had for this role: %d", int(longest.Seconds())),
		}
	}
	if s.Policy != "" {
		if _, err := iam.Parse(s.Policy); err != nil {
			return nil, &sts.Error{Code: "MalformedPolicyDocument", Status: http.StatusBadRequest, Message: sentence(err)}
		}
	}
	out, err := t.issue(s, wanted)
	if err != nil {
		return nil, err
	}
	out.AssumedRole = &sts.AssumedRole{ID: roleID(s.Role) + ":" + s.Name, ARN: t.d.sessionARN(&s)}
	return out, nil
}

func (t *tokenService) issue(s Session, lasting time.Duration) (*sts.Answer, error) {
	s.Expires = t.d.cfg.Now().Add(lasting)
	made, err := t.d.cfg.Sessions.Issue(s)
	if err != nil {
		return nil, err
	}
	return &sts.Answer{Credentials: &sts.Credentials{
		AccessKeyID: made.KeyID, SecretAccessKey: made.Secret, SessionToken: made.Token, Expiration: made.Expires,
	}}, nil
}

// role is the one that an ARN of this account names.
func (d *Door) role(arn string) (name string, r Role, known bool) {
	name, ours := strings.CutPrefix(arn, "arn:aws:iam::"+d.cfg.Account+":role/")
	r, known = d.cfg.Roles[name]
	return name, r, ours && known
}

// sessionARN is what AWS calls who has taken on a role.
func (d *Door) sessionARN(s *Session) string {
	return "arn:aws:sts::" + d.cfg.Account + ":assumed-role/" + s.Role + "/" + s.Name
}

// roleID is the number of a role, of AWS's shape and the same for the same name.
func roleID(name string) string {
	sum := sha256.Sum256([]byte("spotter role " + name))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:10])
}

func refused(code, format string, args ...any) *sts.Error {
	return &sts.Error{Code: code, Status: http.StatusForbidden, Message: fmt.Sprintf(format, args...)}
}

// sentence is an error as one begins in a message to a caller.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// trusted says whether a role that trusts these may be taken on.
func (who *identity) trusted(by []string) bool {
	name := who.user
	if who.session != nil && who.session.Role != "" {
		name = "role/" + who.session.Role
	}
	keyless := who.session != nil && who.session.Key == "" // the holder of a web identity
	return who.rights.everything || !keyless && slices.Contains(by, "*") || name != "" && slices.Contains(by, name)
}

// userID is the number of a caller, of AWS's shape.
func (who *identity) userID() string {
	if who.session != nil && who.session.Role != "" {
		return roleID(who.session.Role) + ":" + who.session.Name
	}
	return who.caller.Key
}
