package awsapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Who holds a session that a policy narrows gets no more by taking on a role with it.
func TestANarrowedSessionTakesOnNoRole(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	assume := func(policy string) error {
		made, err := b.door.cfg.Sessions.Issue(Session{Key: "AKIABOB", Policy: policy, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.stsClient(signer(made.KeyID, made.Secret, made.Token)).AssumeRole(t.Context(),
			&sts.AssumeRoleInput{RoleArn: aws.String(roleARN + "open"), RoleSessionName: aws.String("more")})
		return err
	}
	if err := assume(listOnly); codeOf(err) != "AccessDenied" {
		t.Errorf("a session that may list collections takes on an administrator's role: %v", err)
	}
	if err := assume(Administrator()); err != nil {
		t.Errorf("its policy allows it: %v", err)
	}
	if err := assume(""); err != nil {
		t.Errorf("it has no policy: %v", err)
	}
}

// A role for whoever has an access key is not for the holders of web identities, who have none.
func TestAWebIdentityIsNoAccessKey(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	made, err := b.door.cfg.Sessions.Issue(Session{Role: "lister", Name: "build", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	c := b.stsClient(signer(made.KeyID, made.Secret, made.Token))
	for role, code := range map[string]string{"open": "AccessDenied", "after": ""} {
		_, err = c.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(roleARN + role), RoleSessionName: aws.String("more")})
		if codeOf(err) != code {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// SDKs that say no duration get what the role allows.
func TestARoleForLessThanAnHour(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	b.door.cfg.Roles["short"] = Role{Trust: []string{"bob"}, Policy: listOnly, Longest: 20 * time.Minute}
	out, err := b.stsClient(signer("AKIABOB", "b", "")).AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: aws.String(roleARN + "short"), RoleSessionName: aws.String("night")})
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(*out.Credentials.Expiration); left > 20*time.Minute || left < 19*time.Minute {
		t.Errorf("it lasts %v", left)
	}
}

const formOfNobody = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=build&WebIdentityToken=x&RoleArn=" + roleARN + "lister"

// slow is an identity provider that does not answer until it is told to.
type slow struct{ asked, answer chan struct{} }

func (s slow) Verify(context.Context, string, string) (WebIdentity, error) {
	s.asked <- struct{}{}
	<-s.answer
	return WebIdentity{}, ErrUntrusted
}

// However many strangers wait for an identity provider, those who have keys are let in.
func TestStrangersWhoWaitKeepNobodyOut(t *testing.T) {
	t.Parallel()
	const places = 8
	b := newBench(t, func(c *Config) {
		c.Roles = map[string]Role{"lister": {Policy: listOnly, Longest: time.Hour}}
		c.Limits.InFlight = places
	})
	provider := slow{make(chan struct{}, 2*places), make(chan struct{})}
	b.door.cfg.WebIdentities = provider
	answers := make(chan reply, 2*places)
	for range 2 * places {
		go func() {
			r, err := http.Post(b.url, "application/x-www-form-urlencoded", strings.NewReader(formOfNobody))
			answers <- received(t, r, err)
		}()
	}
	<-provider.asked
	refused := 0
	for len(provider.asked)+1+refused < 2*places {
		select {
		case <-answers:
			refused++
		case <-time.After(time.Millisecond):
		}
	}
	if _, err := describeWith(t, b.client()); err != nil {
		t.Errorf("while %d strangers wait: %v", len(provider.asked)+1, err)
	}
	close(provider.answer)
	for range 2*places - refused {
		<-answers
	}
}

// What strangers ask for is not taken from what those who have keys may ask for together.
func TestStrangersTakeNothingOfTheOverallRate(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) {
		c.Roles = map[string]Role{"lister": {Policy: listOnly, Longest: time.Hour}}
		c.Limits.Overall = 0.001
		c.WebIdentities = identities{}
	})
	for range 3 {
		if r := b.send(t, http.MethodPost, "/", formOfNobody, "Content-Type", "application/x-www-form-urlencoded"); !strings.Contains(r.body, "InvalidIdentityToken") {
			t.Errorf("a stranger: %s", r.body)
		}
	}
	if _, err := describeWith(t, b.client()); err != nil {
		t.Errorf("after strangers: %v", err)
	}
}

// tokenless is an identity provider for one role only.
type tokenless struct{ WebIdentities }

func (p tokenless) Verify(ctx context.Context, role, token string) (WebIdentity, error) {
	if role != "lister" {
		return WebIdentity{}, ErrNoProvider
	}
	return p.WebIdentities.Verify(ctx, role, token)
}

// Who has nothing but a form does not learn which roles there are beside those of identity providers.
func TestStrangersDoNotLearnWhichRolesThereAre(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	b.door.cfg.WebIdentities = tokenless{identities{}}
	ask := func(role string) string {
		_, said, _ := strings.Cut(b.send(t, http.MethodPost, "/", strings.ReplaceAll(formOfNobody, "role/lister", "role/"+role),
			"Content-Type", "application/x-www-form-urlencoded").body, "<Code>")
		said, _, _ = strings.Cut(said, "</Message>")
		return said
	}
	if there, not := ask("open"), ask("none"); there != not || !strings.HasPrefix(there, "AccessDenied") {
		t.Errorf("of a role that is there: %s; of one that is not: %s", there, not)
	}
}
