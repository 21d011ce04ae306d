package awsapi

import (
	"slices"

	"github.com/spotter-video/spotter/internal/awsapi/internal/iam"
)

// rights are what a caller may do: what each of some policies allows, or everything. The zero rights are none.
type rights struct {
	// everything is for who is not asked for a policy.
	everything bool
	policies   []*iam.Policy
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

// names says whether a policy names a service.
func (r rights) names(service string) bool {
	return slices.ContainsFunc(r.policies, func(p *iam.Policy) bool { return p.Names(service) })
}
