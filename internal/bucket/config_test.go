package bucket_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/bucket"
)

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := bucket.S3{Endpoint: "http://127.0.0.1:1", KeyID: "id", Secret: "hush-hush"}
	with := func(change func(*bucket.S3)) func(*bucket.Config) {
		return func(c *bucket.Config) {
			s := good
			change(&s)
			c.Buckets["films"] = s
		}
	}
	junk := filepath.Join(t.TempDir(), "junk.pem")
	write(t, junk, []byte("no certificate"))
	for name, change := range map[string]func(*bucket.Config){
		"no clock":          func(c *bucket.Config) { c.Now = nil },
		"short name":        func(c *bucket.Config) { c.Buckets["ab"] = good },
		"name with slash":   func(c *bucket.Config) { c.Buckets["a/b"] = good },
		"nil source":        func(c *bucket.Config) { c.Buckets["films"] = nil },
		"no path":           func(c *bucket.Config) { c.Buckets["films"] = bucket.Folder{} },
		"folder for all":    func(c *bucket.Config) { c.Buckets["*"] = bucket.Folder{Path: "/"} },
		"no object size":    func(c *bucket.Config) { c.Limits.Object = 0 },
		"no downloads":      func(c *bucket.Config) { c.Limits.Downloads = 0 },
		"no attempts":       func(c *bucket.Config) { c.Limits.Attempts = 0 },
		"no stall":          func(c *bucket.Config) { c.Limits.Stall = 0 },
		"no cache":          func(c *bucket.Config) { c.Cache.Folder = "" },
		"no room":           func(c *bucket.Config) { c.Cache.MaxBytes = 0 },
		"negative idleness": func(c *bucket.Config) { c.Cache.Idle = -1 },
		"cache in a file":   func(c *bucket.Config) { c.Cache.Folder = filepath.Join(junk, "x") },
		"all is one":        func(c *bucket.Config) { s := good; s.Bucket = "one"; c.Buckets["*"] = s },
		"no real name":      with(func(s *bucket.S3) { s.Bucket = ".." }),
		"no scheme":         with(func(s *bucket.S3) { s.Endpoint = "127.0.0.1:9000" }),
		"another scheme":    with(func(s *bucket.S3) { s.Endpoint = "ftp://127.0.0.1" }),
		"user in URL":       with(func(s *bucket.S3) { s.Endpoint = "http://u:hush-hush@127.0.0.1" }),
		"bad URL":           with(func(s *bucket.S3) { s.Endpoint = "http://u:hush-hush@[" }),
		"id alone":          with(func(s *bucket.S3) { s.Secret = "" }),
		"secret alone":      with(func(s *bucket.S3) { s.KeyID = "" }),
		"no region":         with(func(s *bucket.S3) { s.Endpoint = "" }),
		"absent CA file":    with(func(s *bucket.S3) { s.CAFile = "/absent" }),
		"junk CA file":      with(func(s *bucket.S3) { s.CAFile = junk }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, map[string]bucket.Source{"films": good})
			change(&cfg)
			b, err := bucket.New(cfg)
			if err == nil {
				t.Fatal(b.Close(), "it was taken")
			}
			if strings.Contains(err.Error(), "hush-hush") {
				t.Errorf("the error tells a secret: %v", err)
			}
			t.Log(err)
		})
	}
}

func TestSecretHides(t *testing.T) {
	t.Parallel()
	s := bucket.S3{KeyID: "id", Secret: "hush-hush", SessionToken: "hush-hush"}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", slog.Any("source", s), slog.Any("secret", s.Secret))
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s %q", s, s, s.Secret, s.Secret), string(asJSON), log.String()} {
		if strings.Contains(text, "hush") {
			t.Errorf("the secret shows: %s", text)
		}
	}
}
