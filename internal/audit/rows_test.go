package audit_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/audit"
)

// TestEntriesGoTogether holds the database up until others have come: they are written at once, and all of them are told what came of it.
func TestEntriesGoTogether(t *testing.T) {
	t.Parallel()
	var sizes []int
	held, begun := make(chan struct{}), make(chan struct{}, 100)
	rows := audit.NewRows(func(_ context.Context, entries []audit.Entry) error {
		sizes = append(sizes, len(entries)) // one writes at a time, or the race detector says so
		begun <- struct{}{}
		<-held
		if len(entries) > 1 {
			return errors.New("full")
		}
		return nil
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := rows.Write(audit.Entry{Operation: "first"}); err != nil {
			t.Error(err)
		}
	})
	<-begun
	const more = 20
	for i := range more {
		wg.Go(func() {
			if err := rows.Write(audit.Entry{Operation: strconv.Itoa(i)}); err != nil && !strings.Contains(err.Error(), "audit log: full") {
				t.Error(err)
			}
		})
	}
	close(held)
	wg.Wait()
	total := 0
	for _, n := range sizes {
		total += n
	}
	if total != 1+more || sizes[0] != 1 {
		t.Errorf("batches of %v entries", sizes)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	text := `{"operation":"one"}` + "\n\n" + `{"operat` + "\n" + `{"time":"2026-11-23T12:00:00Z","operation":"two","faces_deleted":["a"]}` + "\n[]\n" +
		strings.Repeat("x", 5<<20) + "\n" + `{"operation":"three"}`
	var seen []string
	damaged, err := audit.Read(strings.NewReader(text), func(e audit.Entry) error {
		seen = append(seen, e.Operation)
		return nil
	})
	if diff := cmp.Diff([]string{"one", "two", "three"}, seen); diff != "" || damaged != 3 || err != nil {
		t.Errorf("%d damaged, %v:\n%s", damaged, err, diff)
	}
	enough := errors.New("enough")
	if _, err = audit.Read(strings.NewReader(text), func(audit.Entry) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("an error of who reads: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("{\"operation\":\"one\"}\n{\"oper")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		damaged, err := audit.Read(strings.NewReader(text), func(e audit.Entry) error {
			if n++; e.Operation == "" {
				t.Error("an entry of nothing")
			}
			return nil
		})
		if err != nil || n+damaged > strings.Count(text, "\n")+1 {
			t.Errorf("%d entries and %d damaged lines: %v", n, damaged, err)
		}
	})
}
