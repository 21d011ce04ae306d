package sigv4

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// Window is how far the clocks of caller and server may be apart, which is also for how long a request can be replayed.
	// AWS says it in its messages.
	Window = 5 * time.Minute

	// These are AWS's formats, in UTC.
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"

	headerDate    = "X-Amz-Date"
	headerTarget  = "X-Amz-Target"
	headerToken   = "X-Amz-Security-Token" //nolint:gosec // a header's name and no credential
	headerPayload = "X-Amz-Content-Sha256"
)

// Claim is what the headers of a request say about who signed it. It is true only once [Claim.Verify] has said so.
type Claim struct {
	// KeyID names the access key, Region the region that the caller believes to speak to.
	KeyID, Region string
	// Token is the session token of temporary credentials; empty for none.
	Token string
	// Time is when the request was signed, to the second.
	Time time.Time

	method, host, service string
	// paths are the path as it was sent and, where that is another, without doubled slashes: most SDKs sign that one.
	paths []url.URL
	// header are the signed headers but for the host and the date, under lower-case names.
	header       http.Header
	lengthSigned bool
	payload      string // what the caller says that the body's hash is; empty if nothing
	signature    string
}

// Parse reads the claim of a request to a service that has come in. Errors are [*Error]. The body is not touched.
//
// A header that is signed may come once only: two of a name and one with a comma in it would sign alike.
func Parse(r *http.Request, service string, now time.Time) (*Claim, error) {
	a, refusal := authorizationOf(r)
	if refusal != nil {
		return nil, refusal
	}
	if a.service != service {
		return nil, invalid("Credential should be scoped to correct service: '%s'.", service)
	}
	signed, refusal := signingTime(r.Header, a, now)
	if refusal != nil {
		return nil, refusal
	}
	c := &Claim{
		KeyID: a.keyID, Region: a.region, Time: signed, Token: r.Header.Get(headerToken),
		method: r.Method, host: r.Host, paths: pathsOf(r.URL), signature: a.signature,
		service: a.service,
	}
	if refusal := c.takeHeaders(r.Header, a.signed); refusal != nil {
		return nil, refusal
	}
	return c, nil
}

func pathsOf(u *url.URL) []url.URL {
	sent := url.URL{Path: u.Path, RawPath: u.RawPath}
	if plain := slashes.ReplaceAllString(u.Path, "/"); u.RawPath == "" && plain != u.Path {
		return []url.URL{sent, {Path: plain}}
	}
	return []url.URL{sent}
}

var slashes = regexp.MustCompile(`//+`)

func authorizationOf(r *http.Request) (*authorization, *Error) {
	values := r.Header.Values("Authorization")
	switch {
	case r.URL.RawQuery != "":
		return nil, missing("Request is missing Authentication Token: " +
			"only signatures in the Authorization header are accepted, and no query string")
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return nil, missing("Request is missing Authentication Token")
	case len(values) > 1:
		return nil, incomplete("Authorization header must come once and not %d times.", len(values))
	}
	return parseAuthorization(values[0])
}

// signingTime is when the request was signed, if that is now and fits the scope.
func signingTime(h http.Header, a *authorization, now time.Time) (time.Time, *Error) {
	values := h.Values(headerDate)
	if len(values) != 1 {
		return time.Time{}, incomplete("Authorization header requires existence of one '%s' header.", headerDate)
	}
	t, err := time.Parse(timeFormat, values[0])
	if err != nil || t.Format(timeFormat) != values[0] { // time.Parse takes fractions of a second as well
		return time.Time{}, incomplete("Date must be in ISO-8601 'basic format'. See '%s' header.", headerDate)
	}
	if want := t.Format(dateFormat); a.date != want {
		return time.Time{}, invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			"it should be '%s', from '%s'.", want, values[0])
	}
	now = now.UTC()
	if earliest := now.Add(-Window); t.Before(earliest) {
		return time.Time{}, invalid("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			values[0], earliest.Format(timeFormat), now.Format(timeFormat))
	}
	if latest := now.Add(Window); t.After(latest) {
		return time.Time{}, invalid("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			values[0], latest.Format(timeFormat), now.Format(timeFormat))
	}
	return t, nil
}

// takeHeaders keeps the headers that the signature speaks of, and sees to it that it speaks of those that matter.
func (c *Claim) takeHeaders(h http.Header, signed []string) *Error {
	for _, must := range []string{"Host", headerDate, headerTarget, headerToken} {
		if (must == headerTarget || must == headerToken) && len(h.Values(must)) == 0 {
			continue
		}
		if !slices.Contains(signed, strings.ToLower(must)) {
			return invalid("'%s' must be a 'SignedHeader' in the AWS Authorization.", must)
		}
	}
	c.header = make(http.Header, len(signed))
	for _, name := range signed {
		switch name {
		case "host", "x-amz-date": // the signer sets them itself
		case "content-length":
			c.lengthSigned = true
		default:
			values := h.Values(name)
			if len(values) != 1 || name == "authorization" {
				return invalid("Header '%s' is signed, so it must come once and not %d times.", name, len(values))
			}
			// Under its lower-case name, so that the signer takes it even where it leaves that header out when it signs
			// itself, such as a user agent: other SDKs do sign it.
			c.header[name] = values
		}
	}
	if payload := h.Values(headerPayload); len(payload) > 0 {
		c.payload = strings.Join(payload, ",")
	}
	return nil
}
