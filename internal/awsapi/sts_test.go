package awsapi

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

const roleARN = "arn:aws:iam::000000000000:role/"

// signer is credentials for a client.
func signer(id, secret, token string) aws.CredentialsProvider {
	return static.NewStaticCredentialsProvider(id, secret, token)
}

func temporary(c *ststypes.Credentials) aws.CredentialsProvider {
	return signer(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// stsClient asks the bench's door for tokens.
func (b *bench) stsClient(who aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &b.url, Credentials: who, RetryMaxAttempts: 1})
}

// may says whether credentials may list and describe collections.
func (b *bench) may(t *testing.T, who aws.CredentialsProvider) (list, describe error) {
	t.Helper()
	c := b.client(func(o *rekognition.Options) { o.Credentials = who })
	_, list = c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	_, describe = c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: aws.String("staff")})
	return list, describe
}

func codeOf(err error) string {
	if e := smithy.APIError(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

const (
	listOnly     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:ListCollections","Resource":"*"}]}`
	describeOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"rekognition:DescribeCollection","Resource":"*"}]}`
	notSTS       = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
		`{"Effect":"Deny","Action":"sts:*","Resource":"*"}]}`
)

// tokenBench is a door with two keys and some roles, and a clock that tests set.
func tokenBench(t *testing.T) (*bench, *atomic.Int64) {
	t.Helper()
	ahead := new(atomic.Int64)
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	return newBench(t, func(c *Config) {
		c.Now = now
		var err error
		if c.Sessions, err = NewSessions(make([]byte, 32), now); err != nil {
			t.Fatal(err)
		}
		c.Keys = keyring{
			keyID: {Secret: secret, Name: "ann", Policy: Administrator()}, "AKIABOB": {Secret: "b", Name: "bob", Policy: listOnly},
			"AKIACARL": {Secret: "c", Name: "carl", Policy: notSTS},
		}
		c.Roles = map[string]Role{
			"lister": {Trust: []string{"bob"}, Policy: listOnly, Longest: time.Hour},
			"open":   {Trust: []string{"*"}, Policy: Administrator(), Longest: 12 * time.Hour},
			"after":  {Trust: []string{"role/lister"}, Policy: describeOnly, Longest: 12 * time.Hour},
			"broken": {Trust: []string{"*"}, Policy: "{}", Longest: time.Hour},
		}
	}), ahead
}

func TestTemporaryCredentials(t *testing.T) {
	t.Parallel()
	b, ahead := tokenBench(t)
	bob := signer("AKIABOB", "b", "")
	out, err := b.stsClient(bob).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 14*time.Minute || left > 15*time.Minute ||
		!strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") {
		t.Errorf("credentials of %s for %v", *out.Credentials.AccessKeyId, left)
	}
	session := temporary(out.Credentials)
	if list, describe := b.may(t, session); list != nil || codeOf(describe) != "AccessDeniedException" {
		t.Errorf("bob's session lists: %v, describes: %v", list, describe)
	}
	who, err := b.stsClient(session).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::000000000000:user/bob" || *who.Account != "000000000000" || *who.UserId != "AKIABOB" {
		t.Errorf("it is %+v, %v", who, err)
	}
	_, err = b.stsClient(session).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if codeOf(err) != "AccessDenied" {
		t.Errorf("a session from a session: %v", err)
	}

	for name, who := range map[string]aws.CredentialsProvider{
		"another key's id":  signer("ASIAOTHER", *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken),
		"the key's own id":  signer("AKIABOB", *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken),
		"changed token":     signer(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, flipped(*out.Credentials.SessionToken)),
		"no token":          signer(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, ""),
		"token of nobody":   signer(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, "x"),
		"very long token":   signer(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, strings.Repeat("A", maxToken+4)),
		"token as a secret": signer(*out.Credentials.AccessKeyId, *out.Credentials.SessionToken, *out.Credentials.SessionToken),
	} {
		want := "UnrecognizedClientException"
		if name == "token as a secret" {
			want = "InvalidSignatureException"
		}
		if list, _ := b.may(t, who); codeOf(list) != want {
			t.Errorf("%s: %v", name, list)
		}
	}

	ahead.Store(int64(15*time.Minute + time.Second)) // what SDKs sign with is their own clock, corrected by the answer
	skewed := b.client(func(o *rekognition.Options) { o.Credentials, o.RetryMaxAttempts = session, 3 })
	if _, err := skewed.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); codeOf(err) != "ExpiredTokenException" {
		t.Errorf("after its time: %v", err)
	}
}

// flipped is a token with one bit changed in the middle.
func flipped(token string) string {
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return ""
	}
	b[len(b)/2] ^= 1
	return base64.StdEncoding.EncodeToString(b)
}

func TestASessionEndsWithItsKeyAndItsRole(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	bob := signer("AKIABOB", "b", "")
	own, err := b.stsClient(bob).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	role, err := b.stsClient(bob).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(roleARN + "open"), RoleSessionName: aws.String("x1")})
	if err != nil {
		t.Fatal(err)
	}
	if list, describe := b.may(t, temporary(role.Credentials)); list != nil || describe != nil {
		t.Errorf("the role: %v, %v", list, describe)
	}
	keys, ok := b.config.Keys.(keyring)
	if !ok {
		t.Fatal("other keys")
	}
	delete(b.door.cfg.Roles, "open")
	if list, _ := b.may(t, temporary(role.Credentials)); codeOf(list) != "UnrecognizedClientException" {
		t.Errorf("a role that is gone: %v", list)
	}
	disabled := keys["AKIABOB"]
	disabled.Disabled = true
	keys["AKIABOB"] = disabled
	if list, _ := b.may(t, temporary(own.Credentials)); codeOf(list) != "UnrecognizedClientException" {
		t.Errorf("a key that is disabled: %v", list)
	}
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	ann, bob, carl := signer(keyID, secret, ""), signer("AKIABOB", "b", ""), signer("AKIACARL", "c", "")
	assume := func(who aws.CredentialsProvider, role string, change ...func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(roleARN + role), RoleSessionName: aws.String("night")}
		for _, c := range change {
			c(in)
		}
		return b.stsClient(who).AssumeRole(t.Context(), in)
	}
	out, err := assume(bob, "lister")
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:sts::000000000000:assumed-role/lister/night"
	if *out.AssumedRoleUser.Arn != arn || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":night") {
		t.Errorf("assumed %+v", out.AssumedRoleUser)
	}
	lister := temporary(out.Credentials)
	if who, unknown := b.stsClient(lister).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); unknown != nil || *who.Arn != arn {
		t.Errorf("it is %+v, %v", who, unknown)
	}
	list, describe := b.may(t, lister)
	if list != nil || codeOf(describe) != "AccessDeniedException" || !strings.Contains(describe.Error(), "User: "+arn+" is not authorized") {
		t.Errorf("lists: %v, describes: %v", list, describe)
	}
	chained, err := assume(lister, "after")
	if err != nil {
		t.Fatal(err)
	}
	if list, describe := b.may(t, temporary(chained.Credentials)); codeOf(list) != "AccessDeniedException" || describe != nil {
		t.Errorf("the second role lists: %v, describes: %v", list, describe)
	}
	narrow, err := assume(ann, "open", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(describeOnly) })
	if err != nil {
		t.Fatal(err)
	}
	if list, describe := b.may(t, temporary(narrow.Credentials)); codeOf(list) != "AccessDeniedException" || describe != nil {
		t.Errorf("a narrowed session lists: %v, describes: %v", list, describe)
	}
	wide, err := assume(bob, "lister", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(Administrator()) })
	if err != nil {
		t.Fatal(err)
	}
	if list, describe := b.may(t, temporary(wide.Credentials)); list != nil || codeOf(describe) != "AccessDeniedException" {
		t.Errorf("a session policy widens the role: lists: %v, describes: %v", list, describe)
	}
	none, err := assume(bob, "broken")
	if err != nil {
		t.Fatal(err)
	}
	if list, _ := b.may(t, temporary(none.Credentials)); codeOf(list) != "AccessDeniedException" {
		t.Errorf("a role whose policy cannot be read lists: %v", list)
	}

	seconds := func(n int32) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.DurationSeconds = &n }
	}
	for name, c := range map[string]struct {
		who    aws.CredentialsProvider
		role   string
		change func(*sts.AssumeRoleInput)
		code   string
	}{
		"not trusted":       {ann, "lister", nil, "AccessDenied"},
		"not there":         {bob, "none", nil, "AccessDenied"},
		"own policy denies": {carl, "open", nil, "AccessDenied"},
		"another account":   {bob, "", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::111111111111:role/open") }, "AccessDenied"},
		"a user":            {bob, "after", nil, "AccessDenied"},
		"too long":          {bob, "lister", seconds(3601), "ValidationError"},
		"too short":         {bob, "lister", seconds(899), "ValidationError"},
		"chained too long":  {lister, "after", seconds(3601), "ValidationError"},
		"bad policy":        {bob, "lister", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, "MalformedPolicyDocument"},
		"bad name":          {bob, "lister", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		"more policies": {bob, "lister", func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/x")}}
		}, "ValidationError"},
		"with a code":   {bob, "lister", func(in *sts.AssumeRoleInput) { in.TokenCode = aws.String("123456") }, "ValidationError"},
		"wrong secret":  {signer("AKIABOB", "x", ""), "lister", nil, "SignatureDoesNotMatch"},
		"unknown key":   {signer("AKIANOBODY", "x", ""), "lister", nil, "InvalidClientTokenId"},
		"forged token":  {signer("ASIABOB", "b", "token"), "lister", nil, "InvalidClientTokenId"},
		"another's key": {signer(*out.Credentials.AccessKeyId, "x", *out.Credentials.SessionToken), "after", nil, "SignatureDoesNotMatch"},
	} {
		if c.change == nil {
			c.change = func(*sts.AssumeRoleInput) {}
		}
		if _, err := assume(c.who, c.role, c.change); codeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.audited[0]; e.Operation != "sts:AssumeRole" || e.Role != roleARN+"lister" || e.Key != "AKIABOB" || e.Code != "OK" {
		t.Errorf("the audit log says %+v", e)
	}
}

// identities trusts one token.
type identities struct{ err error }

func (i identities) Verify(_ context.Context, role, token string) (WebIdentity, error) {
	if token != "good" || role != "lister" {
		return WebIdentity{}, errors.Join(ErrUntrusted, i.err)
	}
	return WebIdentity{Subject: "repo:films", Audience: "spotter", Provider: "https://ci.example.org"}, i.err
}

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	b, _ := tokenBench(t)
	b.door.cfg.WebIdentities = identities{}
	assume := func(role, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return b.stsClient(nil).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String(roleARN + role), RoleSessionName: aws.String("build"), WebIdentityToken: &token,
		})
	}
	out, err := assume("lister", "good")
	if err != nil {
		t.Fatal(err)
	}
	if *out.SubjectFromWebIdentityToken != "repo:films" || *out.Provider != "https://ci.example.org" || *out.Audience != "spotter" {
		t.Errorf("of %+v", out)
	}
	if list, describe := b.may(t, temporary(out.Credentials)); list != nil || codeOf(describe) != "AccessDeniedException" {
		t.Errorf("lists: %v, describes: %v", list, describe)
	}
	for role, code := range map[string]string{"lister": "InvalidIdentityToken", "open": "InvalidIdentityToken", "none": "AccessDenied"} {
		if _, err := assume(role, "bad"); codeOf(err) != code {
			t.Errorf("%s: %v", role, err)
		}
	}
	b.door.cfg.WebIdentities = identities{errors.New("away")}
	if _, err := assume("lister", "good"); codeOf(err) != "IDPCommunicationError" {
		t.Errorf("a provider that is away: %v", err)
	}
	// Whoever has nothing but a form learns nothing, and is not written down.
	if _, err := b.stsClient(aws.AnonymousCredentials{}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); codeOf(err) != "MissingAuthenticationToken" {
		t.Errorf("nobody: %v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.audited {
		if e.Name == "" || e.Code != "OK" && strings.HasPrefix(e.Operation, "sts") {
			t.Errorf("the audit log says %+v", e)
		}
	}
}
