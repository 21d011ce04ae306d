package webidentity

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Trust says which tokens are taken.
type Trust struct {
	// Issuer is the provider's URL, as its tokens name it; Audience is whom they must be made for.
	Issuer, Audience string
	// Subjects are whose they may be: each as it is, or with "*" at its end for all that begin so.
	Subjects []string
	// CAFile holds certificates, in PEM, of authorities that are trusted beside the system's; empty for none.
	CAFile string
}

// Holder is whose a token is.
type Holder struct{ Subject, Audience, Provider string }

// ErrUntrusted is a token that is not taken, whatever the provider says.
var ErrUntrusted = errors.New("the token is not taken")

const (
	// timeout is for one request to the provider, within which an SDK waits for its credentials.
	timeout = 10 * time.Second
	// maxAnswer is the most that is read of an answer, in bytes: providers' documents and keys have some kilobytes.
	maxAnswer = 1 << 20
	// perSecond and atOnce are how often the provider is asked.
	perSecond, atOnce = 1, 5
)

// Checker checks tokens. Safe for concurrent use.
type Checker struct {
	trust  Trust
	now    func() time.Time
	client *http.Client
	asks   *sparing

	// known is nil until the provider has said what it is, which is asked once for all who wait for it.
	known  atomic.Pointer[oidc.IDTokenVerifier]
	asking singleflight.Group
}

// New makes a checker. It asks nobody anything.
func New(t Trust, now func() time.Time) (*Checker, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: timeout}
	if t.CAFile != "" {
		pool, err := authorities(t.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	asks := &sparing{RoundTripper: transport, limit: rate.NewLimiter(perSecond, atOnce)}
	return &Checker{trust: t, now: now, client: &http.Client{Timeout: timeout, Transport: asks}, asks: asks}, nil
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, fmt.Errorf("read the certificates: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificates in PEM", path)
	}
	return pool, nil
}

// Verify says whose token it is. The error is [ErrUntrusted], with the reason, for one that is not taken; any other says that the
// provider could not be asked.
func (c *Checker) Verify(ctx context.Context, token string) (Holder, error) {
	v, err := c.provider(ctx)
	if err != nil {
		return Holder{}, err
	}
	before := c.asks.failed.Load()
	known, err := v.Verify(ctx, token)
	if err != nil && c.asks.failed.Load() != before { // the library's error does not tell it from a bad token
		return Holder{}, fmt.Errorf("ask the identity provider for its keys: %w", err)
	}
	if err != nil {
		return Holder{}, fmt.Errorf("%w: %s", ErrUntrusted, strings.TrimPrefix(err.Error(), "oidc: "))
	}
	if !c.trusts(known.Subject) {
		return Holder{}, fmt.Errorf("%w: its subject %.100q is none of those that are trusted", ErrUntrusted, known.Subject)
	}
	return Holder{Subject: known.Subject, Audience: c.trust.Audience, Provider: known.Issuer}, nil
}

func (c *Checker) trusts(subject string) bool {
	for _, s := range c.trust.Subjects {
		if beginning, open := strings.CutSuffix(s, "*"); subject == s || open && strings.HasPrefix(subject, beginning) {
			return true
		}
	}
	return false
}

// provider asks the provider what it is, once. Who leaves does not wait for the answer, which others may.
func (c *Checker) provider(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	if v := c.known.Load(); v != nil {
		return v, nil
	}
	asked := c.asking.DoChan("", func() (any, error) {
		if c.known.Load() != nil {
			return nil, nil //nolint:nilnil // it has been answered meanwhile
		}
		// Keys are fetched later with this context: it must not end with the request.
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), c.client), c.trust.Issuer)
		if err != nil {
			return nil, fmt.Errorf("ask the identity provider: %w", err)
		}
		c.known.Store(p.Verifier(&oidc.Config{ClientID: c.trust.Audience, Now: c.now}))
		return nil, nil //nolint:nilnil // it is known now
	})
	select {
	case a := <-asked:
		return c.known.Load(), a.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

var errTooOften = errors.New("the identity provider is asked too often")

// sparing asks a provider not too often, and does not listen for ever.
type sparing struct {
	http.RoundTripper
	limit  *rate.Limiter
	failed atomic.Int64 // how often it could not be asked
}

// RoundTrip asks.
func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.limit.Allow() {
		s.failed.Add(1)
		return nil, errTooOften
	}
	answer, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		s.failed.Add(1)
		return nil, err
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	return answer, nil
}
