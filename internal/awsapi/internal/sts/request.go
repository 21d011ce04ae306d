package sts

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The actions. All others are refused by name.
const (
	GetCallerIdentity         = "GetCallerIdentity"
	GetSessionToken           = "GetSessionToken"
	AssumeRole                = "AssumeRole"
	AssumeRoleWithWebIdentity = "AssumeRoleWithWebIdentity"
)

// Service is what signatures of requests are scoped to.
const Service = "sts"

// The lengths and times are those of the service's documentation.
const (
	// MaxBody is the longest form, in bytes: the longest web identity token with the longest policy, escaped.
	MaxBody = 128 << 10

	version = "2011-06-15"

	shortest        = 15 * time.Minute
	longestRole     = 12 * time.Hour
	longestToken    = 36 * time.Hour
	usualToken      = 12 * time.Hour
	maxRoleARN      = 2048
	maxPolicy       = 2048 // characters
	maxWebIdentity  = 20_000
	leastSession    = 2
	maxSessionNames = 64
)

// Request is what a caller asks for. Members that an action does not have are empty.
type Request struct {
	Action string
	// Duration is how long the credentials are to last. If nothing was said: of a session the usual time, of a role 0, as what is usual
	// may be more than the role allows.
	Duration time.Duration
	// Role is the ARN of the role to assume, Session what the caller calls the session.
	Role, Session string
	// Policy is a session policy: an IAM policy document that narrows what the session may do; empty for none.
	Policy string
	// WebIdentity is the token of an identity provider.
	WebIdentity string
}

var sessionName = regexp.MustCompile(`^[\w+=,.@-]*$`)

// Parse reads a form. Errors are [*Error].
func Parse(body []byte) (*Request, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || !utf8.Valid(body) {
		return nil, malformed("The request is not a form of the query protocol.")
	}
	if v := form.Get("Version"); v != version {
		return nil, invalidAction(form.Get("Action"), v)
	}
	r := &Request{Action: form.Get("Action")}
	known := map[string]func(url.Values) error{
		GetCallerIdentity:         func(url.Values) error { return nil },
		GetSessionToken:           r.sessionToken,
		AssumeRole:                r.assumeRole,
		AssumeRoleWithWebIdentity: r.webIdentity,
	}
	read := known[r.Action]
	if read == nil {
		return nil, invalidAction(r.Action, version)
	}
	for name, values := range form {
		if len(values) != 1 {
			return nil, malformed("The parameter %s is there %d times.", clip(name), len(values))
		}
	}
	if err := read(form); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Request) sessionToken(form url.Values) (err error) {
	if err = refuse(form, "SerialNumber", "TokenCode"); err != nil {
		return err
	}
	r.Duration, err = duration(form, usualToken, longestToken)
	return err
}

func (r *Request) assumeRole(form url.Values) error {
	if err := refuse(form, "SerialNumber", "TokenCode", "PolicyArns"); err != nil {
		return err
	}
	return r.role(form)
}

func (r *Request) webIdentity(form url.Values) error {
	if err := refuse(form, "PolicyArns"); err != nil {
		return err
	}
	r.WebIdentity = form.Get("WebIdentityToken")
	if n := len(r.WebIdentity); n == 0 || n > maxWebIdentity {
		return invalid("webIdentityToken", "have length between 4 and %d", maxWebIdentity)
	}
	return r.role(form)
}

// role reads what both ways of assuming a role have.
func (r *Request) role(form url.Values) (err error) {
	r.Role, r.Session, r.Policy = form.Get("RoleArn"), form.Get("RoleSessionName"), form.Get("Policy")
	switch {
	case r.Role == "" || len(r.Role) > maxRoleARN:
		return invalid("roleArn", "have length between 20 and %d", maxRoleARN)
	case len(r.Session) < leastSession || len(r.Session) > maxSessionNames || !sessionName.MatchString(r.Session):
		return invalid("roleSessionName", "satisfy regular expression pattern: [\\w+=,.@-]{%d,%d}", leastSession, maxSessionNames)
	case utf8.RuneCountInString(r.Policy) > maxPolicy:
		return invalid("policy", "have length less than or equal to %d", maxPolicy)
	}
	r.Duration, err = duration(form, 0, longestRole)
	return err
}

// refuse names a parameter that asks for what there is not: passing over it would let more happen than the caller wants.
func refuse(form url.Values, names ...string) error {
	for key := range form {
		if name, _, _ := strings.Cut(key, "."); slices.Contains(names, name) {
			return &Error{Code: "ValidationError", Status: badRequest, Message: "Spotter does not support the parameter " + name + "."}
		}
	}
	return nil
}

func duration(form url.Values, usual, longest time.Duration) (time.Duration, error) {
	text := form.Get("DurationSeconds")
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	d := time.Duration(n) * time.Second
	if err != nil || n < int(shortest/time.Second) || n > int(longest/time.Second) {
		return 0, invalid("durationSeconds", "have value between %d and %d", shortest/time.Second, longest/time.Second)
	}
	return d, nil
}

// clip is a stranger's word for a message.
func clip(word string) string {
	const most = 64
	if len(word) > most {
		word = word[:most]
	}
	return fmt.Sprintf("%q", word)
}
