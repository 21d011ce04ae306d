package bucket_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spotter-video/spotter/internal/bucket"
)

func TestStatAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers map[string]string
		status  int
		kind    bucket.Kind
		says    string
	}{
		"denied":        {status: http.StatusForbidden, kind: bucket.Denied},
		"other region":  {status: http.StatusMovedPermanently, headers: map[string]string{"X-Amz-Bucket-Region": "eu-west-1"}, kind: bucket.Denied, says: "eu-west-1"},
		"bad region":    {status: http.StatusBadRequest, headers: map[string]string{"X-Amz-Bucket-Region": "eu-west-1"}, kind: bucket.Denied, says: "eu-west-1"},
		"delete marker": {status: http.StatusMethodNotAllowed, kind: bucket.NotFound},
		"archived":      {status: http.StatusOK, headers: map[string]string{"ETag": `"x"`, "X-Amz-Storage-Class": "GLACIER"}, kind: bucket.Denied, says: "archived"},
		"being restored": {status: http.StatusOK, headers: map[string]string{
			"ETag": `"x"`, "X-Amz-Storage-Class": "DEEP_ARCHIVE", "X-Amz-Restore": `ongoing-request="true"`,
		}, kind: bucket.Denied, says: "archived"},
		"restored": {status: http.StatusOK, headers: map[string]string{
			"ETag": `"x"`, "X-Amz-Storage-Class": "GLACIER", "X-Amz-Restore": `ongoing-request="false", expiry-date="x"`,
		}},
		"from before versions": {status: http.StatusOK, headers: map[string]string{"ETag": `"x"`, "X-Amz-Version-Id": "null"}},
		"not S3":               {status: http.StatusOK, kind: bucket.Unavailable, says: "endpoint"},
		"negative length":      {status: http.StatusOK, headers: map[string]string{"ETag": `"x"`, "Content-Length": "-5"}, kind: bucket.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &faulty{}
			f.start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "5")
				for k, v := range c.headers {
					w.Header().Set(k, v)
				}
				w.WriteHeader(c.status)
			}))
			info, err := faultyBucket(t, f, nil).Stat(t.Context(), film("x"))
			wantKind(t, err, c.kind)
			if info.Version != "" {
				t.Errorf("the version is %q", info.Version)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

// TestCheckForbidden is about credentials that may read objects and nothing else.
func TestCheckForbidden(t *testing.T) {
	t.Parallel()
	for code, kind := range map[string]bucket.Kind{"AccessDenied": 0, "InvalidAccessKeyId": bucket.Denied} {
		f := &faulty{}
		f.start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { xml(w, http.StatusForbidden, code) }))
		b := open(t, config(t, map[string]bucket.Source{"films": faultySource(f), "*": faultySource(f)}))
		wantKind(t, b.Check(t.Context()), kind)
	}
}

// TestUnreachable is about a server that is not there.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, nil, nil)
	f.Close()
	b := faultyBucket(t, f, func(c *bucket.Config) { c.Limits.Attempts = 2 })
	_, err := b.Stat(t.Context(), film("x"))
	wantKind(t, err, bucket.Unavailable)
	wantKind(t, b.Check(t.Context()), bucket.Unavailable)
}

// TestRealNames asks the server for the names that it knows, in either style.
func TestRealNames(t *testing.T) {
	t.Parallel()
	var path atomic.Value
	f := startFaulty(t, noise(1), func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		path.Store(r.URL.EscapedPath())
		return false
	})
	s := faultySource(f)
	s.Bucket = "real"
	b := open(t, config(t, map[string]bucket.Source{"films": s, "*": faultySource(f)}))
	for name, want := range map[string]string{"films": "/real/a/b%20c", "others": "/others/a/b%20c"} {
		if _, err := b.Read(t.Context(), bucket.Object{Bucket: name, Key: "a/b c"}, 1); err != nil {
			t.Error(err)
		}
		if path.Load() != want {
			t.Errorf("asked for %v, want %s", path.Load(), want)
		}
	}
}

// TestKeysAsTheyAre asks for every name as S3 keeps it: as text, and no path to be tidied up. A download goes on under the same
// name when its connection breaks.
func TestKeysAsTheyAre(t *testing.T) {
	t.Parallel()
	var path atomic.Value
	f := &faulty{content: noise(100), etag: `"one"`}
	f.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		path.Store(r.URL.EscapedPath())
		first := r.Header.Get("Range") == ""
		if first {
			f.half(w, r)
		}
		return first
	}
	f.start(t, f)
	s := faultySource(f)
	s.Bucket = "real"
	b := open(t, config(t, map[string]bucket.Source{"films": s}))
	for _, key := range []string{"/a", "//a", "a/", "a//b", "./a", "a/./b", "a/../b", "a/..", ".", "/", "a/b/../../c/", " /"} {
		path.Store("")
		info, err := b.Stat(t.Context(), film(key))
		if err != nil {
			t.Errorf("%q: %v", key, err)
			continue
		}
		file := mustOpen(t, b, film(key), info)
		wantContent(t, file, noise(100))
		if want := "/real/" + strings.ReplaceAll(key, " ", "%20"); path.Load() != want {
			t.Errorf("%q: asked for %v, want %s", key, path.Load(), want)
		}
	}
}

// TestTrust needs the authority's certificate for https.
func TestTrust(t *testing.T) {
	t.Parallel()
	f := &faulty{content: noise(1), etag: `"one"`}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.StartTLS()
	t.Cleanup(f.Close)
	s := faultySource(f)
	strict := open(t, func() bucket.Config {
		c := config(t, map[string]bucket.Source{"films": s})
		c.Limits.Attempts = 1
		return c
	}())
	_, err := strict.Stat(t.Context(), film("x"))
	wantKind(t, err, bucket.Unavailable)

	s.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	write(t, s.CAFile, pemOf(f.Certificate()))
	if _, err := open(t, config(t, map[string]bucket.Source{"films": s})).Stat(t.Context(), film("x")); err != nil {
		t.Error(err)
	}
}
