package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/webidentity"
)

// MaxPolicyFile is more than any policy document may have, in bytes, with room for a message about that.
const MaxPolicyFile = 64 << 10

// rolesOf reads the roles of a configuration with their policies.
func rolesOf(s *config.Server) (map[string]awsapi.Role, error) {
	roles := map[string]awsapi.Role{}
	for _, name := range slices.Sorted(maps.Keys(s.Roles)) {
		r := s.Roles[name]
		policy, err := config.ReadFile(string(r.Policy), MaxPolicyFile)
		if err == nil {
			err = awsapi.CheckPolicy(string(policy))
		}
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("roles.%s.policy: %w", name, err)}
		}
		roles[name] = awsapi.Role{Trust: texts(r.Trust), Policy: string(policy), Longest: r.Duration()}
	}
	return roles, nil
}

// webIdentities are the identity providers that roles trust, by the role.
type webIdentities map[string]*webidentity.Checker

func webIdentitiesOf(s *config.Server, now func() time.Time) (webIdentities, error) {
	all := webIdentities{}
	for name, r := range s.Roles {
		w := r.WebIdentity
		if w == nil {
			continue
		}
		checker, err := webidentity.New(webidentity.Trust{
			Issuer: string(w.Issuer), Audience: string(w.Audience), Subjects: texts(w.Subjects), CAFile: string(w.CAFile),
		}, now)
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("roles.%s.web-identity: %w", name, err)}
		}
		all[name] = checker
	}
	return all, nil
}

// Verify implements [awsapi.WebIdentities].
func (w webIdentities) Verify(ctx context.Context, role, token string) (awsapi.WebIdentity, error) {
	checker := w[role]
	if checker == nil {
		return awsapi.WebIdentity{}, awsapi.ErrNoProvider
	}
	holder, err := checker.Verify(ctx, token)
	if errors.Is(err, webidentity.ErrUntrusted) {
		err = fmt.Errorf("%w: %w", awsapi.ErrUntrusted, err)
	}
	return awsapi.WebIdentity(holder), err
}
