package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// readiness is one thing that must be well before requests are sent here.
type readiness struct {
	Name string
	// Check says what is wrong; nil if nothing is. It must heed its context: whoever asks waits for it.
	Check func(context.Context) error
}

// notReadyError is what is wrong in words that strangers may read. Of other errors they are told that there is one.
type notReadyError struct{ Reason string }

func (e *notReadyError) Error() string { return e.Reason }

// healthConfig is what [newHealth] needs.
type healthConfig struct {
	Checks []readiness
	Now    func() time.Time
	Log    *slog.Logger
}

// health answers whether the process is alive, and whether it is ready for requests. Nobody has to sign to ask, so answers
// are kept for a moment: many who ask cost no more than one. Safe for concurrent use.
type health struct {
	healthConfig
	stopping atomic.Bool

	mu     sync.Mutex // held while the checks run, so that they run once
	last   healthReport
	asked  time.Time
	failed map[string]string // what was wrong last time, to log what changes
}

const (
	// healthFresh is how long an answer is given again; load balancers ask every few seconds.
	healthFresh = time.Second
	// healthTimeout is what all checks together may take: within the patience of most who ask, often 5 seconds or more.
	healthTimeout = 3 * time.Second
)

// healthReport is the body of an answer.
type healthReport struct {
	Ready  bool          `json:"ready"`
	Checks []healthState `json:"checks"`
}

type healthState struct {
	Name  string `json:"name"`
	Ready bool   `json:"ready"`
	// Reason says what is wrong, if it may be told.
	Reason string `json:"reason,omitempty"`
}

func newHealth(cfg healthConfig) *health {
	return &health{healthConfig: cfg, failed: map[string]string{}}
}

// Stopping makes the process not ready for good: what is running goes on, but nothing new should come.
func (h *health) Stopping() { h.stopping.Store(true) }

// Healthz says that the process is alive: it looks at nothing, because starting it anew would mend nothing else.
func (h *health) Healthz(w http.ResponseWriter, r *http.Request) {
	writeHealth(w, r, http.StatusOK, map[string]bool{"alive": true})
}

// Readyz says whether requests should be sent here: 200 if so, otherwise 503, with every check.
func (h *health) Readyz(w http.ResponseWriter, r *http.Request) {
	report := h.report(r.Context())
	status := http.StatusOK
	if !report.Ready {
		status = http.StatusServiceUnavailable
	}
	writeHealth(w, r, status, report)
}

func (h *health) report(ctx context.Context) healthReport {
	if h.stopping.Load() {
		return healthReport{Checks: []healthState{{Name: "server", Reason: "it is stopping"}}}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.Now(); h.asked.IsZero() || now.Sub(h.asked) >= healthFresh || now.Before(h.asked) {
		h.last, h.asked = h.look(ctx), now
	}
	return h.last
}

// look runs the checks side by side. It does not end with the one who happened to ask: others wait for the answer too.
func (h *health) look(ctx context.Context) healthReport {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
	defer cancel()
	errs := make([]error, len(h.Checks))
	var wg sync.WaitGroup
	for i, c := range h.Checks {
		wg.Go(func() { errs[i] = c.Check(ctx) })
	}
	wg.Wait()
	report := healthReport{Ready: true, Checks: make([]healthState, len(h.Checks))}
	for i, c := range h.Checks {
		report.Checks[i] = h.state(ctx, c.Name, errs[i])
		report.Ready = report.Ready && errs[i] == nil
	}
	return report
}

// state puts a check's outcome into words, and tells the log if it has changed.
func (h *health) state(ctx context.Context, name string, err error) healthState {
	if err == nil {
		if _, failed := h.failed[name]; failed {
			h.Log.LogAttrs(ctx, slog.LevelInfo, "check passes again", slog.String("check", name))
			delete(h.failed, name)
		}
		return healthState{Name: name, Ready: true}
	}
	if h.failed[name] != err.Error() {
		h.Log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("check", name), slog.Any("error", err))
		h.failed[name] = err.Error()
	}
	if told := (*notReadyError)(nil); errors.As(err, &told) {
		return healthState{Name: name, Reason: told.Reason}
	}
	return healthState{Name: name, Reason: "it fails; the server's log says why"}
}

func writeHealth(w http.ResponseWriter, r *http.Request, status int, body any) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "ask with GET", http.StatusMethodNotAllowed)
		return
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // whoever asked may be gone
}
