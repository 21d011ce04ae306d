package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// Role is a set of rights that callers may take on for a while.
type Role struct {
	// Trust is who may: names of access keys' owners, "role/NAME" for who has taken on another role, or [AnyKey].
	Trust Texts
	// Policy is the file with the IAM policy document that says what the role may do.
	Policy Path
	// Longest is how long it may be taken on at once; 0 for an hour, AWS's default.
	Longest Period
	// WebIdentity lets in who has a token of an identity provider; nil for nobody.
	WebIdentity *WebIdentity
}

// AnyKey trusts whoever has an access key.
const AnyKey = "*"

// usualLongest and mostLongest are AWS's default and its limit.
const (
	usualLongest = time.Hour
	leastLongest = 15 * time.Minute
	mostLongest  = 12 * time.Hour
)

// WebIdentity says which tokens of an identity provider (OpenID Connect) are taken.
type WebIdentity struct {
	// Issuer is the provider, as its tokens name it; Audience is whom they must be made for.
	Issuer   URL
	Audience Text
	// Subjects are whose they may be: each as it is, or with "*" at its end for all that begin so.
	Subjects Texts
	// CAFile holds the certificates that the provider's may be signed by (PEM); empty: the system's.
	CAFile Path
}

func (r *Role) settings() []Setting {
	return []Setting{
		{Key: "trust", Value: &r.Trust},
		{Key: "policy", Value: &r.Policy},
		{Key: "longest", Value: &r.Longest},
	}
}

func (w *WebIdentity) settings() []Setting {
	return []Setting{
		{Key: "issuer", Value: &w.Issuer},
		{Key: "audience", Value: &w.Audience},
		{Key: "subjects", Value: &w.Subjects},
		{Key: "ca-file", Value: &w.CAFile},
	}
}

// roleName is what IAM takes as the name of a role.
var roleName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)

func validateRoles(roles map[string]Role) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		key := "roles." + clip(name)
		if !roleName.MatchString(name) {
			errs = append(errs, fmt.Errorf("%s: a role's name is 1 to 64 letters, digits and _+=,.@-", key))
		}
		r := roles[name]
		errs = append(errs, r.validate(key))
	}
	return errors.Join(errs...)
}

func (r *Role) validate(key string) error {
	errs := []error{needed(key+".policy", r.Policy)}
	if len(r.Trust) == 0 && r.WebIdentity == nil {
		errs = append(errs, fmt.Errorf("%s trusts nobody: give it trust, web-identity or both", key))
	}
	if d := time.Duration(r.Longest); d != 0 && (d < leastLongest || d > mostLongest) {
		errs = append(errs, fmt.Errorf("%s.longest is %s; it may be 15m to 12h", key, shortDuration(d)))
	}
	if w := r.WebIdentity; w != nil {
		errs = append(errs, needed(key+".web-identity.issuer", w.Issuer), needed(key+".web-identity.audience", w.Audience),
			neededList(key+".web-identity.subjects", w.Subjects), checkScheme(key+".web-identity.issuer", w.Issuer, "https", "http"))
	}
	return errors.Join(errs...)
}

// Duration is the longest time for which it may be taken on.
func (r *Role) Duration() time.Duration {
	if r.Longest == 0 {
		return usualLongest
	}
	return time.Duration(r.Longest)
}
