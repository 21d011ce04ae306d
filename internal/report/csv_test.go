package report

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := CSV(&b, office(t)); err != nil {
		t.Fatal(err)
	}
	golden(t, "office.csv", b.String())
}

// TestCSVByPerson has the same rows by person as by clip, in another order.
func TestCSVByPerson(t *testing.T) {
	t.Parallel()
	run := archive(t)
	var byPerson, byClip strings.Builder
	if err := CSV(&byPerson, run); err != nil {
		t.Fatal(err)
	}
	golden(t, "archive.csv", byPerson.String())
	run.By = ByClip
	if err := CSV(&byClip, run); err != nil {
		t.Fatal(err)
	}
	rows := func(text string) []string { return slices.Sorted(strings.Lines(text)) }
	if diff := cmp.Diff(rows(byClip.String()), rows(byPerson.String())); diff != "" {
		t.Errorf("by clip and by person (-clip +person):\n%s", diff)
	}
}

func TestCSVHoldsNoFormulas(t *testing.T) {
	t.Parallel()
	names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", `he said "hi", twice`, "two\nlines"}
	run := &Run{Gallery: gallery(t, names...), SampleRate: 5}
	for i, name := range names {
		run.Videos = append(run.Videos, Video{Name: name, Sightings: seen(0, 0, 1000, match(i+1, 90))})
	}
	var b strings.Builder
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(names)+1 {
		t.Fatalf("%d rows, want %d", len(rows), len(names)+1)
	}
	for i, row := range rows[1:] {
		for _, cell := range row[:2] {
			if strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.ContainsAny(cell, "\t\r\n") {
				t.Errorf("cell %q", cell)
			}
			if want := strings.TrimLeft(names[i], "\t\r"); i < 4 && cell != "'"+want {
				t.Errorf("cell %q, want '%s", cell, want)
			}
		}
	}
}
