package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/bucket"
)

// answer is what a faulty server does with the n-th GET of an object, from 1; false: it serves it as it should.
type answer func(w http.ResponseWriter, r *http.Request, n int) bool

// faulty is an S3 server with one object under every name, that fails as it is told to.
type faulty struct {
	*httptest.Server
	gets atomic.Int32
	answer

	mu      sync.Mutex
	content []byte
	etag    string
}

func startFaulty(t *testing.T, content []byte, a answer) *faulty {
	t.Helper()
	f := &faulty{content: content, etag: `"one"`, answer: a}
	f.start(t, f)
	return f
}

// start serves without a word: what the test makes it do wrong is not to be logged.
func (f *faulty) start(t *testing.T, h http.Handler) {
	t.Helper()
	f.Server = httptest.NewUnstartedServer(h)
	f.Config.ErrorLog = log.New(io.Discard, "", 0)
	f.Start()
	t.Cleanup(f.Close)
}

func (f *faulty) replace(content []byte, etag string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.content, f.etag = content, etag
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		if n := int(f.gets.Add(1)); f.answer != nil && f.answer(w, r, n) {
			return
		}
	}
	f.serve(w, r)
}

// serve is a server that does as it should: http.ServeContent knows ranges and conditions.
func (f *faulty) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	content, etag := f.content, f.etag
	f.mu.Unlock()
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
}

// half sends the headers for everything and half of what was asked for, and cuts the connection.
func (f *faulty) half(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	f.serve(rec, r)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	body := rec.Body.Bytes()
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// xml answers with an error as S3 does.
func xml(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func faultySource(f *faulty) bucket.S3 {
	return bucket.S3{Endpoint: f.URL, PathStyle: true, KeyID: "test-key", Secret: "test-secret"}
}

func faultyBucket(t *testing.T, f *faulty, change func(*bucket.Config)) *bucket.Buckets {
	t.Helper()
	cfg := config(t, map[string]bucket.Source{"films": faultySource(f)})
	if change != nil {
		change(&cfg)
	}
	return open(t, cfg)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	content := noise(100_000)
	for name, c := range map[string]struct {
		answer func(f *faulty) answer
		kind   bucket.Kind // 0: it works all the same
		gets   int         // 0: not counted
	}{
		"cut once": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n == 1 {
						f.half(w, r)
					}
					if r.Header.Get("Range") != "bytes=50000-" || r.Header.Get("If-Match") != `"one"` {
						t.Errorf("went on with range %q of %q", r.Header.Get("Range"), r.Header.Get("If-Match"))
					}
					return false
				}
			},
			gets: 2,
		},
		"cut always": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, _ int) bool { f.half(w, r); return true }
			},
			kind: bucket.Unavailable, gets: 5,
		},
		"cut, and no ranges": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					r.Header.Del("Range")
					if n == 1 {
						f.half(w, r)
					}
					return false
				}
			},
			gets: 2,
		},
		"cut, and another range": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n == 1 {
						f.half(w, r)
					}
					r.Header.Set("Range", "bytes=60000-")
					return false
				}
			},
			kind: bucket.Unavailable,
		},
		"cut, and an earlier range": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n == 1 {
						f.half(w, r)
					}
					r.Header.Set("Range", "bytes=40000-")
					return false
				}
			},
		},
		"replaced half-way": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n == 1 {
						defer f.replace(noise(100_001), `"two"`)
						f.half(w, r)
					}
					return false
				}
			},
			kind: bucket.Changed, gets: 2,
		},
		"replaced half-way, and no conditions": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					r.Header.Del("If-Match")
					if n == 1 {
						defer f.replace(noise(100_000), `"two"`)
						f.half(w, r)
					}
					return false
				}
			},
			kind: bucket.Changed, gets: 2,
		},
		"shortened half-way": {
			answer: func(f *faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, n int) bool {
					if n == 1 {
						defer f.replace(noise(10), `"one"`)
						f.half(w, r)
					}
					return false
				}
			},
			kind: bucket.Changed, gets: 2,
		},
		"more than it says": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					w.Header().Set("ETag", `"one"`)
					_ = http.NewResponseController(w).Flush() // chunks instead of a length
					_, _ = w.Write(append(content, 'x'))
					return true
				}
			},
			kind: bucket.Unavailable,
		},
		"longer than pinned": {
			answer: func(f *faulty) answer {
				return func(http.ResponseWriter, *http.Request, int) bool { f.replace(noise(200_000), `"one"`); return false }
			},
			kind: bucket.Changed,
		},
		"shorter than pinned": {
			answer: func(f *faulty) answer {
				return func(http.ResponseWriter, *http.Request, int) bool { f.replace(noise(50_000), `"one"`); return false }
			},
			kind: bucket.Changed, gets: 1,
		},
		"in pieces": { // as proxies do that keep pieces
			answer: func(*faulty) answer {
				return func(_ http.ResponseWriter, r *http.Request, _ int) bool {
					from, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
					n, _ := strconv.Atoi(from)
					r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", n, n+29_999))
					return false
				}
			},
			gets: 4,
		},
		"no ETag": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, _ int) bool { _, _ = w.Write(content); return true }
			},
			kind: bucket.Unavailable,
		},
		"busy twice": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, n int) bool {
					if n <= 2 {
						xml(w, http.StatusServiceUnavailable, "SlowDown")
					}
					return n <= 2
				}
			},
			gets: 3,
		},
		"busy always": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					xml(w, http.StatusServiceUnavailable, "SlowDown")
					return true
				}
			},
			kind: bucket.Unavailable, gets: 5,
		},
		"failing always": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					w.WriteHeader(http.StatusInternalServerError)
					return true
				}
			},
			kind: bucket.Unavailable, gets: 5,
		},
		"silent": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, r *http.Request, _ int) bool {
					w.Header().Set("ETag", `"one"`)
					w.Header().Set("Content-Length", "100000")
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
					return true
				}
			},
			kind: bucket.Unavailable,
		},
		"denied":         {answer: refuse(http.StatusForbidden, "AccessDenied"), kind: bucket.Denied, gets: 1},
		"old token":      {answer: refuse(http.StatusBadRequest, "ExpiredToken"), kind: bucket.Denied, gets: 1},
		"archived":       {answer: refuse(http.StatusForbidden, "InvalidObjectState"), kind: bucket.Denied, gets: 1},
		"gone":           {answer: refuse(http.StatusNotFound, "NoSuchKey"), kind: bucket.NotFound, gets: 1},
		"bucket gone":    {answer: refuse(http.StatusNotFound, "NoSuchBucket"), kind: bucket.NotFound, gets: 1},
		"version gone":   {answer: refuse(http.StatusNotFound, "NoSuchVersion"), kind: bucket.NotFound, gets: 1},
		"another region": {answer: refuse(http.StatusMovedPermanently, "PermanentRedirect"), kind: bucket.Denied, gets: 1},
		"changed":        {answer: refuse(http.StatusPreconditionFailed, "PreconditionFailed"), kind: bucket.Changed, gets: 1},
		"no XML": {
			answer: func(*faulty) answer {
				return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					w.WriteHeader(http.StatusTeapot)
					_, _ = w.Write([]byte("<html"))
					return true
				}
			},
			kind: bucket.Unavailable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFaulty(t, content, nil)
			b := faultyBucket(t, f, func(c *bucket.Config) { c.Limits.Stall = 200 * time.Millisecond })
			pinned := pin(t, b, film("x"))
			f.answer = c.answer(f)
			file, err := openWhole(t.Context(), b, film("x"), pinned)
			wantKind(t, err, c.kind)
			if err == nil {
				wantContent(t, file, content)
				_ = file.Close()
			}
			if n := int(f.gets.Load()); c.gets != 0 && n != c.gets {
				t.Errorf("asked %d times, want %d", n, c.gets)
			}
			if u := b.Usage(); c.kind != 0 && u != (bucket.Usage{}) {
				t.Errorf("a failed download leaves %+v", u)
			}
		})
	}
}

// TestPace is about servers that send all the time, and nothing to speak of: they keep neither their downloads for ever nor those
// of others.
func TestPace(t *testing.T) {
	t.Parallel()
	trickle := startFaulty(t, noise(100_000), nil)
	sent := make(chan struct{}, 100)
	trickle.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", "100000")
		sent <- struct{}{}
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte("x")); err != nil {
				break
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
		return true
	}
	quick := startFaulty(t, noise(1000), nil)
	cfg := config(t, map[string]bucket.Source{"slow": faultySource(trickle), "films": faultySource(quick)})
	cfg.Limits.Downloads, cfg.Limits.Attempts, cfg.Limits.Pace = 1, 2, 300*time.Millisecond
	b := open(t, cfg)
	slow := bucket.Object{Bucket: "slow", Key: "x"}
	pinned := pin(t, b, slow)
	failed := make(chan error)
	go func() {
		_, err := openWhole(t.Context(), b, slow, pinned)
		failed <- err
	}()
	<-sent
	_ = mustOpen(t, b, film("x"), pin(t, b, film("x"))).Close() // in a lane of its own
	wantKind(t, <-failed, bucket.Unavailable)
	if u := b.Usage(); u.InUse != 0 {
		t.Errorf("a download that was given up leaves %+v", u)
	}
}

// TestPaceOfWhatIsPassedOver is about one that knows no ranges either.
func TestPaceOfWhatIsPassedOver(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, noise(5<<20), func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", strconv.Itoa(5<<20))
		for r.Context().Err() == nil {
			if _, err := w.Write([]byte("x")); err != nil {
				break
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(time.Millisecond)
		}
		return true
	})
	b := faultyBucket(t, f, func(c *bucket.Config) { c.Limits.Attempts, c.Limits.Pace = 2, 300*time.Millisecond })
	file, err := b.Open(t.Context(), film("x"), pin(t, b, film("x")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Fetch(t.Context(), 4<<20, 5<<20)
	wantKind(t, err, bucket.Unavailable)
	_ = file.Close()
}

func refuse(status int, code string) func(*faulty) answer {
	return func(*faulty) answer {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { xml(w, status, code); return true }
	}
}

// TestReadGoesOn reads into memory what breaks off.
func TestReadGoesOn(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, noise(1000), nil)
	f.answer = func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n < 4 {
			f.half(w, r)
		}
		return false
	}
	data, err := faultyBucket(t, f, nil).Read(t.Context(), film("x"), 1000)
	if err != nil || string(data) != string(noise(1000)) {
		t.Errorf("got %d bytes, error %v", len(data), err)
	}
}

// TestReadBound gives up at the headers of what is too large.
func TestReadBound(t *testing.T) {
	t.Parallel()
	f := startFaulty(t, nil, func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", strconv.Itoa(1<<40))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	})
	_, err := faultyBucket(t, f, nil).Read(t.Context(), film("x"), 1000)
	wantKind(t, err, bucket.TooLarge)
}

// TestOpenEnds cancels a download that drips.
func TestOpenEnds(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	f := startFaulty(t, noise(1000), func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Content-Length", "1000")
		for {
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				close(ended)
				return true
			case <-time.After(time.Millisecond):
			}
		}
	})
	b := faultyBucket(t, f, nil)
	pinned := pin(t, b, film("x"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := openWhole(ctx, b, film("x"), pinned); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	<-ended // or the test does not end
}

// TestRanges fetches from the middle of an object, of servers that know ranges and of one that does not, and of one on which the
// object is replaced.
func TestRanges(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	content := noise(5*mib + 5)
	for _, whole := range []bool{false, true} {
		f := startFaulty(t, content, nil)
		f.answer = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			if whole {
				r.Header.Del("Range")
			} else if got := r.Header.Get("Range"); got != "bytes=2097152-2359295" && got != "bytes=5242880-" && got != "bytes=0-262143" {
				t.Errorf("asked for %q", got)
			}
			return false
		}
		b := faultyBucket(t, f, nil)
		file, err := b.Open(t.Context(), film("x"), pin(t, b, film("x")))
		if err != nil {
			t.Fatal(err)
		}
		if f.gets.Load() != 0 || b.Fetched() != 0 {
			t.Error("it is fetched although nobody has asked")
		}
		for _, from := range []int64{2*mib + 7, 5 * mib} {
			if _, err = file.Fetch(t.Context(), from, from+5); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, 5)
			if _, err = file.File().ReadAt(got, from); err != nil || string(got) != string(content[from:from+5]) {
				t.Errorf("the content differs: %v", err)
			}
		}
		if want := map[bool]int64{false: 256<<10 + 5, true: 5*mib + 5}[whole]; b.Fetched() != want || int(f.gets.Load()) > 3 {
			t.Errorf("%d bytes were fetched, want %d, in %d requests", b.Fetched(), want, f.gets.Load())
		}
		if whole { // all of it is there
			_ = file.Close()
			continue
		}
		f.replace(noise(5*mib + 5)[1:], `"two"`)
		_, err = file.Fetch(t.Context(), 0, 1)
		wantKind(t, err, bucket.Changed)
		_ = file.Close()
		if u := b.Usage(); u != (bucket.Usage{}) {
			t.Errorf("what has changed is kept: %+v", u)
		}
	}
}
