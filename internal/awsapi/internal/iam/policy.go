package iam

import (
	"slices"
	"strings"
)

// Administrator is a document that allows everything.
func Administrator() string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
}

// Decision is what a policy says about a request.
type Decision uint8

// The decisions.
const (
	// Unmentioned: no statement allows it, so it is denied.
	Unmentioned Decision = iota
	// Allowed: a statement allows it and none denies it.
	Allowed
	// Denied: a statement denies it.
	Denied
)

// Policy is a document that was read.
type Policy struct{ statements []statement }

// Decide says whether the action, such as "rekognition:SearchFaces", may be done with a resource: its ARN, or "*" for an
// action that is about no resource of its own. Actions are compared without regard to case, resources with it.
func (p *Policy) Decide(action, resource string) Decision {
	decision := Unmentioned
	for i := range p.statements {
		s := &p.statements[i]
		if !s.actions.holds(strings.ToLower(action)) || !s.resources.holds(resource) {
			continue
		}
		if s.deny {
			return Denied
		}
		decision = Allowed
	}
	return decision
}

// Names says whether a statement names the actions or the resources of a service, such as "s3"; "*" names none.
func (p *Policy) Names(service string) bool {
	for i := range p.statements {
		for _, pattern := range p.statements[i].resources.patterns {
			if fields := strings.SplitN(pattern, ":", 4); len(fields) > 2 && fields[2] == service { // arn:partition:service:
				return true
			}
		}
		for _, pattern := range p.statements[i].actions.patterns {
			if strings.HasPrefix(pattern, service+":") {
				return true
			}
		}
	}
	return false
}

// Everything says whether the policy allows all that there is, as [Administrator] does: a statement says so, and none
// denies anything.
func (p *Policy) Everything() bool {
	all := false
	for i := range p.statements {
		s := &p.statements[i]
		if s.deny {
			return false
		}
		all = all || s.actions.everything() && s.resources.everything()
	}
	return all
}

// statement is one sentence of a policy.
type statement struct {
	deny      bool
	actions   set // in lower case
	resources set
}

// set is what one of the patterns fits or, if it is the complement, what none fits.
type set struct {
	patterns   []string
	complement bool
}

func (s set) holds(name string) bool {
	for _, pattern := range s.patterns {
		if fits(pattern, name) {
			return !s.complement
		}
	}
	return s.complement
}

func (s set) everything() bool { return !s.complement && slices.Contains(s.patterns, "*") }

// fits says whether the whole of a name is of the pattern, byte by byte. It takes at most len(pattern) x len(name) steps:
// where a later part does not fit, only the last * before it can take more.
func fits(pattern, name string) bool {
	p, n := 0, 0
	star, taken := -1, 0 // where the last * is, and up to where it takes the name
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*': // first, because a name may have a * too
			star, taken = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			taken++
			p, n = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
