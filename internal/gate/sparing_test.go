package gate_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spotter-video/spotter/internal/gate"
)

// buffer is a log that can be written and read at the same time.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *buffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

func TestSparing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := new(buffer)
		s := gate.NewSparing(slog.NewTextHandler(b, nil), time.Now, gate.KindByCode)
		log := slog.New(s)
		refuse := func(code string, n int) {
			for range n {
				log.With(slog.Int("a", 1)).Info("request refused", slog.String("code", code), slog.String("source", "10.0.0.7"))
			}
		}
		refuse("Unknown", 100_000)
		refuse("Invalid", 3)
		if lines := strings.Count(b.String(), "\n"); lines != 5+3 {
			t.Fatalf("%d lines:\n%s", lines, b)
		}
		b.Reset()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `these="request refused: Unknown" more=99995 within=1m0s`) {
			t.Errorf("after a minute:\n%s", got)
		}
		b.Reset()
		refuse("Unknown", 6) // a new minute
		if lines := strings.Count(b.String(), "\n"); lines != 5 {
			t.Errorf("%d lines:\n%s", lines, b)
		}
		b.Reset()
		if err := s.Close(); err != nil || !strings.Contains(b.String(), "more=1 ") {
			t.Errorf("at the end: %v\n%s", err, b)
		}
	})
}

func TestKindsAreBounded(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := gate.NewSparing(slog.NewTextHandler(&b, nil), time.Now, gate.KindByCode)
	for i := range 100_000 {
		slog.New(s).Info("kind", slog.Int("code", i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(b.String(), "\n"); lines > 1010 || !strings.Contains(b.String(), `these=(others)`) {
		t.Errorf("%d lines:\n%s", lines, &b)
	}
}
