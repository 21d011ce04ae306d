package webidentity_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/spotter-video/spotter/internal/webidentity"
)

// issuer is an identity provider on this machine.
type issuer struct {
	*httptest.Server
	key  jose.JSONWebKey
	gets atomic.Int32
	away atomic.Bool
	// asked is told of each time that somebody asks who it is, and said is waited for before the answer; nil for neither.
	asked, said chan struct{}
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: string(jose.ES256), Use: "sig"}
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{key: newKey(t, "one")}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if i.asked != nil {
			i.asked <- struct{}{}
			<-i.said
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/x", "token_endpoint": i.URL + "/y",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.gets.Add(1)
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}})
	})
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.away.Load() {
			panic(http.ErrAbortHandler)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

// token signs claims with a key.
func token(t *testing.T, key jose.JSONWebKey, claims jwt.Claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func checker(t *testing.T, i *issuer) *webidentity.Checker {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := webidentity.New(webidentity.Trust{
		Issuer: i.URL, Audience: "spotter", Subjects: []string{"anna", "repo:films/*"}, CAFile: ca,
	}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerify(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	c := checker(t, i)
	now := time.Now()
	good := func(change func(*jwt.Claims)) jwt.Claims {
		claims := jwt.Claims{
			Issuer: i.URL, Subject: "anna", Audience: jwt.Audience{"spotter", "other"}, Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
			IssuedAt: jwt.NewNumericDate(now),
		}
		change(&claims)
		return claims
	}
	for name, test := range map[string]struct {
		token string
		says  string // empty: it is taken
	}{
		"good":                 {token(t, i.key, good(func(*jwt.Claims) {})), ""},
		"beginning":            {token(t, i.key, good(func(c *jwt.Claims) { c.Subject = "repo:films/archive" })), ""},
		"another's":            {token(t, i.key, good(func(c *jwt.Claims) { c.Subject = "berta" })), `subject "berta"`},
		"one that begins so":   {token(t, i.key, good(func(c *jwt.Claims) { c.Subject = "annabel" })), `subject "annabel"`},
		"nobody's":             {token(t, i.key, good(func(c *jwt.Claims) { c.Subject = "" })), `subject ""`},
		"for somebody else":    {token(t, i.key, good(func(c *jwt.Claims) { c.Audience = jwt.Audience{"other"} })), "audience"},
		"of somebody else":     {token(t, i.key, good(func(c *jwt.Claims) { c.Issuer = "https://example.org" })), "issued"},
		"expired":              {token(t, i.key, good(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(now.Add(-time.Hour)) })), "expired"},
		"of a key of its own":  {token(t, newKey(t, "two"), good(func(*jwt.Claims) {})), "signature"},
		"of a key like theirs": {token(t, newKey(t, "one"), good(func(*jwt.Claims) {})), "signature"},
		"unsigned":             {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0.", ""},
		"no token":             {"anna", "malformed"},
	} {
		holder, err := c.Verify(t.Context(), test.token)
		switch {
		case name == "good":
			if err != nil || holder != (webidentity.Holder{Subject: "anna", Audience: "spotter", Provider: i.URL}) {
				t.Errorf("%s: %+v, %v", name, holder, err)
			}
		case test.says == "" && name != "unsigned":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.Is(err, webidentity.ErrUntrusted) || !strings.Contains(err.Error(), test.says):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProvidersAreSpared: whoever reaches the server can send tokens that name keys nobody knows.
func TestProvidersAreSpared(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	c := checker(t, i)
	claims := jwt.Claims{
		Issuer: i.URL, Subject: "anna", Audience: jwt.Audience{"spotter"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}
	forged := token(t, newKey(t, "unknown"), claims)
	untold := 0
	for range 50 {
		if _, err := c.Verify(t.Context(), forged); err != nil && !errors.Is(err, webidentity.ErrUntrusted) {
			untold++
		}
	}
	if untold == 0 {
		t.Errorf("asked %d times for 50 tokens of an unknown key", i.gets.Load())
	}
	if _, err := c.Verify(t.Context(), token(t, i.key, claims)); err != nil { // the key is known already
		t.Errorf("a good one beside them: %v", err)
	}
}

func TestProvidersThatAreAway(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	c := checker(t, i)
	good := token(t, i.key, jwt.Claims{
		Issuer: i.URL, Subject: "anna", Audience: jwt.Audience{"spotter"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	})
	i.away.Store(true)
	if _, err := c.Verify(t.Context(), good); err == nil || errors.Is(err, webidentity.ErrUntrusted) {
		t.Errorf("says %v", err)
	}
	i.away.Store(false)
	if _, err := c.Verify(t.Context(), good); err != nil {
		t.Errorf("when it is back: %v", err)
	}
}

// TestNobodyWaitsForOthers: who waits for a slow provider may leave, and all who wait get the one answer.
func TestNobodyWaitsForOthers(t *testing.T) {
	t.Parallel()
	i := startIssuer(t)
	const all = 20
	i.asked, i.said = make(chan struct{}, all), make(chan struct{})
	c := checker(t, i)
	good := token(t, i.key, jwt.Claims{
		Issuer: i.URL, Subject: "anna", Audience: jwt.Audience{"spotter"}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	})
	answers := make(chan error, all)
	for range all {
		go func() {
			_, err := c.Verify(t.Context(), good)
			answers <- err
		}()
	}
	<-i.asked
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := c.Verify(gone, good); !errors.Is(err, context.Canceled) { // which ends though the provider has not answered
		t.Errorf("who has left: %v", err)
	}
	close(i.said)
	for range all {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if more := len(i.asked); more > 0 {
		t.Errorf("asked %d times more", more)
	}
}
