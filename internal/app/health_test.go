package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// asked is a health of checks, its clock and its log.
type asked struct {
	*health
	now time.Time
	log bytes.Buffer
}

func newAsked(checks ...readiness) *asked {
	a := &asked{now: noon()}
	a.health = newHealth(healthConfig{
		Checks: checks, Now: func() time.Time { return a.now }, Log: slog.New(slog.NewTextHandler(&a.log, nil)),
	})
	return a
}

func ask(handler http.HandlerFunc, method string) (status int, body string) {
	w := httptest.NewRecorder()
	handler(w, httptest.NewRequest(method, "/", nil))
	return w.Code, w.Body.String()
}

func TestHealthzLooksAtNothing(t *testing.T) {
	t.Parallel()
	h := newAsked(readiness{"store", func(context.Context) error { return errors.New("gone") }})
	if status, body := ask(h.Healthz, http.MethodGet); status != http.StatusOK || body != `{"alive":true}`+"\n" {
		t.Errorf("%d %s", status, body)
	}
	h.Stopping()
	if status, _ := ask(h.Healthz, http.MethodHead); status != http.StatusOK {
		t.Errorf("%d while stopping", status)
	}
	if status, _ := ask(h.Healthz, http.MethodPost); status != http.StatusMethodNotAllowed {
		t.Errorf("%d to a POST", status)
	}
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	var store, galleries error
	h := newAsked(
		readiness{"store", func(context.Context) error { return store }},
		readiness{"galleries", func(context.Context) error { return galleries }},
	)
	expect := func(status int, body string) {
		t.Helper()
		h.now = h.now.Add(time.Second)
		if s, b := ask(h.Readyz, http.MethodGet); s != status || b != body+"\n" {
			t.Errorf("got  %d %s\nwant %d %s", s, b, status, body)
		}
	}
	galleries = &notReadyError{"3 of 5 are loaded"}
	expect(503, `{"ready":false,"checks":[{"name":"store","ready":true},`+
		`{"name":"galleries","ready":false,"reason":"3 of 5 are loaded"}]}`)
	galleries = nil
	expect(200, `{"ready":true,"checks":[{"name":"store","ready":true},{"name":"galleries","ready":true}]}`)
	store = errors.New("open /secret/path: disk is gone")
	expect(503, `{"ready":false,"checks":[{"name":"store","ready":false,"reason":"it fails; the server's log says why"},`+
		`{"name":"galleries","ready":true}]}`)
	expect(503, `{"ready":false,"checks":[{"name":"store","ready":false,"reason":"it fails; the server's log says why"},`+
		`{"name":"galleries","ready":true}]}`)
	store = nil
	expect(200, `{"ready":true,"checks":[{"name":"store","ready":true},{"name":"galleries","ready":true}]}`)
	if log := h.log.String(); strings.Count(log, "\n") != 4 || !strings.Contains(log, "disk is gone") {
		t.Errorf("the log tells more or less than the four changes:\n%s", log)
	}
	h.Stopping()
	expect(503, `{"ready":false,"checks":[{"name":"server","ready":false,"reason":"it is stopping"}]}`)
}

func TestManyWhoAskCostOneLook(t *testing.T) {
	t.Parallel()
	var looks atomic.Int32
	h := newAsked(readiness{"store", func(context.Context) error { looks.Add(1); return nil }})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { ask(h.Readyz, http.MethodGet) })
	}
	wg.Wait()
	if n := looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
	h.now = h.now.Add(healthFresh)
	ask(h.Readyz, http.MethodGet)
	if n := looks.Load(); n != 2 {
		t.Errorf("%d looks a second later, want one more", n)
	}
}

func TestSlowCheckEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newAsked(readiness{"store", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
		begun := time.Now()
		gone, cancel := context.WithCancel(t.Context())
		cancel() // whoever asks first has gone away; the answer is for the others too
		w := httptest.NewRecorder()
		h.Readyz(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/", nil))
		if took := time.Since(begun); took != healthTimeout || w.Code != http.StatusServiceUnavailable {
			t.Errorf("%d after %v", w.Code, took)
		}
	})
}
