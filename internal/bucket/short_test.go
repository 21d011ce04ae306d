package bucket_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/spotter-video/spotter/internal/bucket"
)

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		followed.Add(1)
		w.Header().Set("ETag", `"a"`)
		_, _ = w.Write([]byte("secret"))
	}))
	t.Cleanup(inner.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		f := startFaulty(t, nil, nil)
		f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inner.URL+"/latest/meta-data/", status)
		})
		b := faultyBucket(t, f, nil)
		o := bucket.Object{Bucket: "films", Key: "a"}
		if _, err := b.Read(t.Context(), o, 100); err == nil {
			t.Errorf("%d: read", status)
		}
		if _, err := b.Stat(t.Context(), o); err == nil {
			t.Errorf("%d: stat", status)
		}
	}
	if n := followed.Load(); n > 0 {
		t.Errorf("followed %d times", n)
	}
}

func TestEndlessErrorsAreCutOff(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	f := startFaulty(t, nil, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusForbidden)
		for part := bytes.Repeat([]byte("<"), 64<<10); sent.Load() < 64<<20; {
			n, err := w.Write(part)
			sent.Add(int64(n))
			if err != nil {
				return true
			}
		}
		return true
	})
	b := faultyBucket(t, f, nil)
	if _, err := b.Read(t.Context(), bucket.Object{Bucket: "films", Key: "a"}, 100); err == nil {
		t.Error("read")
	}
	f.CloseClientConnections()
	f.Close() // waits for the sender
	if n := sent.Load(); n > 32<<20 {
		t.Errorf("%d bytes of an error were taken", n)
	}
}
