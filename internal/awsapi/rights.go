package awsapi

import (
	"slices"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sts"
)

// rights are what a caller may do: what each of some policies allows, or everything. The zero rights are none.
type rights struct {
	// everything is for who is not asked for a policy.
	everything bool
	// policies are that of the key or the role, and after it that of the session, if it has one.
	policies []*iam.Policy
}

// decide says whether an action may be done with a resource: all policies must allow it, and none deny.
func (r rights) decide(action, resource string) iam.Decision {
	if r.everything {
		return iam.Allowed
	}
	decision := iam.Unmentioned
	for i, p := range r.policies {
		switch d := p.Decide(action, resource); {
		case d == iam.Denied:
			return iam.Denied
		case i == 0:
			decision = d
		default:
			decision = min(decision, d) // Unmentioned is less than Allowed
		}
	}
	return decision
}

// letAssume says whether a role may be taken on, if it trusts the caller. A policy that says something of sts must allow it, and so
// must the policy of a session, whatever it speaks of: otherwise the role would give back what it takes away.
func (r rights) letAssume(action, role string) bool {
	for i, p := range r.policies {
		d := p.Decide(action, role)
		if d == iam.Denied || d != iam.Allowed && (i > 0 || p.Names(sts.Service)) {
			return false
		}
	}
	return true
}

// names says whether a policy names a service.
func (r rights) names(service string) bool {
	return slices.ContainsFunc(r.policies, func(p *iam.Policy) bool { return p.Names(service) })
}
