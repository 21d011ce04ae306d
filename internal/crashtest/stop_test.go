package crashtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begins matches the log's entry that a segment of a job is begun.
func begins(job string) func(entry) bool {
	return func(e entry) bool { return e.Job == job && e.Message == "task begins" && e.Task == "segment" }
}

// working is a server that is in the middle of a job's segments.
func (b *bed) working(t *testing.T, token string, args ...string) (s *server, job string) {
	t.Helper()
	s = b.start(t, append([]string{"--unsigned"}, args...)...).listening()
	job = s.mustSearch(token)
	if _, ok := s.said(begins(job)); !ok {
		t.Fatalf("job %s begins no segment", job)
	}
	return s, job
}

// enrolled starts a server, puts everybody into the collection, and stops it.
func (b *bed) enrolled(t *testing.T) {
	t.Helper()
	s := b.start(t, "--unsigned").listening()
	s.enrol()
	s.stop()
}

// TestStopped asks servers to stop in the middle of a job. What is cut short is begun anew by the next one, nothing else is
// done again, and nobody sees a difference in the results.
func TestStopped(t *testing.T) {
	t.Parallel()
	b, l := newBed(t), newLedger()
	b.enrolled(t)
	var jobs []string
	for _, test := range []struct {
		name    string
		timeout string
		stop    func(*server)
		lost    int // most segments
	}{
		{"enough-time", "1m", (*server).stop, 0},
		{"no-time", "1ms", (*server).stop, workers},
		{"twice", "10m", stopTwice, workers},
	} {
		s, job := b.working(t, test.name, "--stop-timeout", test.timeout)
		jobs = append(jobs, job)
		lost, began := l.lost, time.Now()
		test.stop(s)
		t.Logf("%s: it took %v", test.name, time.Since(began))
		l.died(t, s)
		if l.lost-lost > test.lost {
			t.Errorf("%s: %d segments were cut short, want %d at most", test.name, l.lost-lost, test.lost)
		}
		b.noTraces(t)
		const running = `SELECT kind FROM river_job WHERE state = 'running'`
		if left := query(t, b.copied(t), running); len(left) > 0 && test.name != "twice" {
			t.Errorf("%s: tasks were not handed back: %q", test.name, left)
		}
	}
	b.sameResults(t, jobs, l)
}

// sameResults lets a new server do what is left of jobs, and compares them with a job that nobody disturbed.
func (b *bed) sameResults(t *testing.T, jobs []string, l *ledger) {
	t.Helper()
	s := b.start(t, "--unsigned").listening()
	undisturbed := s.mustSearch("undisturbed")
	s.succeeded(undisturbed)
	want := s.results(undisturbed)
	for _, job := range jobs {
		s.succeeded(job)
		if got := s.results(job); got != want {
			t.Errorf("the results of job %s differ:\n%s\nand undisturbed:\n%s", job, got, want)
		}
	}
	s.stop()
	l.died(t, s)
	l.check(t)
	b.noTraces(t)
	b.sound(t)
}

// stopTwice asks twice: the second time is not patient.
func stopTwice(s *server) {
	s.t.Helper()
	s.terminate()
	if !s.eventually(func() bool { return strings.Contains(s.record.text(), "once more to stop at once") }) {
		s.t.Fatal("the server does not say that it stops")
	}
	s.terminate()
	state := s.wait()
	if status, ok := state.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		s.t.Errorf("asked twice to stop, the server ended with %v", state)
	}
}

// TestRequestDuringStop asks a server to stop while it reads a request. That one is answered; what comes later is not taken.
func TestRequestDuringStop(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	s := b.start(t, "--unsigned").listening()
	s.must("RekognitionService.CreateCollection", fields{"CollectionId": collection}, nil)
	body, err := json.Marshal(indexFaces("ANNA", shared(t).photos["ANNA"]))
	if err != nil {
		t.Fatal(err)
	}
	held := &heldBody{Reader: bytes.NewReader(body), free: make(chan struct{})}
	r, err := s.request("RekognitionService.IndexFaces", held)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(body))
	r.Header.Set("Expect", "100-continue")
	taken := make(chan struct{})
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(taken) }}))
	answers := make(chan error, 1)
	var answer json.RawMessage
	go func() {
		// The server says when it takes the body, however long that is.
		client := http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour, DisableKeepAlives: true}}
		got, err := client.Do(r) //nolint:bodyclose // read closes it
		if err == nil {
			answer, err = read(got)
		}
		answers <- err
	}()
	<-taken
	s.terminate()
	if !s.eventually(func() bool {
		_, err := s.ask("RekognitionService.ListCollections", fields{})
		return err != nil
	}) {
		t.Error("requests are taken although the server is to stop")
	}
	close(held.free)
	if err := <-answers; err != nil {
		t.Fatalf("the request that was being read is not answered: %v", err)
	}
	var out struct{ FaceRecords []json.RawMessage }
	if err := json.Unmarshal(answer, &out); err != nil || len(out.FaceRecords) != 1 {
		t.Errorf("the answer is %s", answer)
	}
	if state := s.wait(); state.ExitCode() != 0 {
		t.Errorf("the server ended with %v", state)
	}
	const faces = `SELECT external_id FROM faces`
	if got := query(t, b.copied(t), faces); len(got) != 1 {
		t.Errorf("the database has the faces %q", got)
	}
}

// heldBody is a body that can be read once free is closed.
type heldBody struct {
	io.Reader
	free chan struct{}
}

func (h *heldBody) Read(p []byte) (int, error) {
	<-h.free
	return h.Reader.Read(p)
}

// TestDecodersDieWithTheServer kills a server whose decoders are stuck in the middle of their work.
func TestDecodersDieWithTheServer(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.enrolled(t)
	s, _ := b.working(t, "killed")
	// Looked at once more when stopped: one may end in between.
	if !s.eventually(func() bool { return b.atWork(t) > 0 && b.freeze(t) > 0 && b.atWork(t) > 0 }) {
		t.Fatal("no decoder is at work")
	}
	s.kill()
	b.noDecoders(t)
}

// TestCancelled cancels a job while its segments are analysed: their decoders end at once, and the server goes on.
func TestCancelled(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.enrolled(t)
	s, job := b.working(t, "cancelled")
	if !s.eventually(func() bool { return b.freeze(t) > 0 }) {
		t.Fatal("no decoder is running")
	}
	s.must("SpotterService.CancelJob", fields{"JobId": job}, nil)
	began := time.Now()
	b.noDecoders(t)
	t.Logf("the decoders were gone after %v", time.Since(began))
	if status, message := s.status(job); status != "FAILED" || !strings.Contains(message, "cancelled") {
		t.Errorf("the job is %s: %s", status, message)
	}
	if n := countOf(s.record.all(), func(e entry) bool { return e.Message == "segment saved" }); n >= 6 {
		t.Errorf("%d segments were saved: the job was not cut short", n)
	}
	_, err := s.ask("SpotterService.CancelJob", fields{"JobId": job})
	if refused := (*refusal)(nil); !errors.As(err, &refused) {
		t.Errorf("a job that has ended is cancelled: %v", err)
	}
	if !s.eventually(func() bool { return len(b.notified(t)[job]) == 1 }) {
		t.Error("nobody was told of the end")
	}
	next := s.mustSearch("next")
	s.succeeded(next)
	s.stop()
	b.noTraces(t)
}

func countOf(entries []entry, match func(entry) bool) (n int) {
	for _, e := range entries {
		if match(e) {
			n++
		}
	}
	return n
}
