package sdktest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	searcher = "arn:aws:iam::000000000000:role/searcher"
	reads    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["rekognition:List*","rekognition:Describe*"],"Resource":"*"}]}`
)

// withRoles is a server with a role that lists, for whoever has a key and for the holder of a web identity.
func withRoles(t *testing.T, issuer string) *server {
	t.Helper()
	w := here(t)
	policy := filepath.Join(t.TempDir(), "searcher.json")
	if err := os.WriteFile(policy, []byte(reads), 0o600); err != nil {
		t.Fatal(err)
	}
	role := map[string]any{"trust": []string{"administrator"}, "policy": policy, "longest": "2h"}
	if issuer != "" {
		role["web-identity"] = map[string]any{"issuer": issuer, "audience": "spotter", "subjects": []string{"repo:films/*"}}
	}
	return w.own(t, strings.ToLower(t.Name()), settings{"roles": map[string]any{"searcher": role}})
}

// wantReader wants a client that may list collections and make none.
func wantReader(t *testing.T, c *rekognition.Client) {
	t.Helper()
	ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))(t)
	_, err := c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: new("made")})
	refused[*types.AccessDeniedException](t, err, "")
}

// TestAssumeRole uses the Go SDK's own provider of assumed roles, which asks the server by itself.
func TestAssumeRole(t *testing.T) {
	t.Parallel()
	s := withRoles(t, "")
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"), config.WithBaseEndpoint(s.url),
		config.WithSharedCredentialsFiles([]string{filepath.Join(s.data, "credentials")}), config.WithSharedConfigFiles(nil))
	if err != nil {
		t.Fatal(err)
	}
	tokens := sts.NewFromConfig(cfg)
	wantReader(t, rekognition.NewFromConfig(cfg, func(o *rekognition.Options) {
		o.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(tokens, searcher))
	}))
	own := ok(tokens.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{}))(t).Credentials
	session := rekognition.NewFromConfig(cfg, func(o *rekognition.Options) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: *own.AccessKeyId, SecretAccessKey: *own.SecretAccessKey, SessionToken: *own.SessionToken}, nil
		})
	})
	id := collection(t, session)
	ok(session.IndexFaces(t.Context(), &rekognition.IndexFacesInput{CollectionId: id, Image: sent(t, anna)}))(t)
	who := ok(tokens.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
	if *who.Arn != "arn:aws:iam::000000000000:user/administrator" || *who.Account != "000000000000" {
		t.Errorf("the caller is %s of %s", *who.Arn, *who.Account)
	}
}

// TestAssumeRoleOfOtherClients has boto3 and the aws command line take on the role of a profile, as their users configure it, and
// get the credentials of another from the program.
func TestAssumeRoleOfOtherClients(t *testing.T) {
	t.Parallel()
	python := installed(t, "boto3", func(program string) bool {
		return exec.CommandContext(t.Context(), program, "-c", "import boto3").Run() == nil
	}, "/usr/bin/python3", "python3")
	s := withRoles(t, "")
	who, err := s.credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	profiles := filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf("[default]\nregion = us-east-1\n"+
		"[profile night]\nregion = us-east-1\nrole_arn = %s\nsource_profile = default\nrole_session_name = night\n"+
		"[profile process]\nregion = us-east-1\ncredential_process = %s key session %s --data %s --json\n",
		searcher, s.world.spotter, who.AccessKeyID, s.data)
	if err = os.WriteFile(profiles, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import boto3
from botocore.exceptions import ClientError
for profile in ("night", "process"):
    session = boto3.Session(profile_name=profile)
    print(session.client("sts").get_caller_identity()["Arn"])
    rekognition = session.client("rekognition")
    rekognition.list_collections()
    try:
        rekognition.create_collection(CollectionId="made-by-" + profile)
        print("made")
    except ClientError as e:
        print(e.response["Error"]["Code"])
`
	command := exec.CommandContext(t.Context(), python, "-c", script)
	command.Env = append(os.Environ(), "AWS_CONFIG_FILE="+profiles, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(s.data, "credentials"),
		"AWS_ENDPOINT_URL="+s.url)
	out, err := command.CombinedOutput()
	const want = "arn:aws:sts::000000000000:assumed-role/searcher/night\nAccessDeniedException\n" +
		"arn:aws:iam::000000000000:user/administrator\nmade\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}

// TestAssumeRoleWithWebIdentity uses the Go SDK's own provider of web identities, with a token of an identity provider on this
// machine.
func TestAssumeRoleWithWebIdentity(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var url string
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			public := jose.JSONWebKey{Key: key.Public(), KeyID: "one", Algorithm: string(jose.ES256), Use: "sig"}
			_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": url, "jwks_uri": url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
		})
	}))
	t.Cleanup(issuer.Close)
	url = issuer.URL
	s := withRoles(t, url)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := func(subject string) *rekognition.Client {
		token, unsigned := jwt.Signed(signer).Claims(jwt.Claims{
			Issuer: url, Subject: subject, Audience: jwt.Audience{"spotter"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
		}).Serialize()
		if unsigned != nil {
			t.Fatal(unsigned)
		}
		file := filepath.Join(t.TempDir(), "token")
		if unwritten := os.WriteFile(file, []byte(token), 0o600); unwritten != nil {
			t.Fatal(unwritten)
		}
		cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1}
		provider := stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(cfg), searcher, stscreds.IdentityTokenFile(file))
		return rekognition.NewFromConfig(cfg, func(o *rekognition.Options) { o.Credentials = aws.NewCredentialsCache(provider) })
	}
	wantReader(t, client("repo:films/archive"))
	_, err = client("repo:others/x").ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
	if err == nil || !strings.Contains(err.Error(), "InvalidIdentityToken") || !strings.Contains(err.Error(), `subject "repo:others/x"`) {
		t.Errorf("somebody else's token: %v", err)
	}
}
