package engine

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotter-video/spotter/internal/face"
)

// recorded analyses a film for good, in two goes: the first one ends when a segment has been kept.
func (o *opened) recorded(t *testing.T, film string) *Record {
	t.Helper()
	v, err := o.Open(t.Context(), film, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	r := new(Record)
	if r.Terms, err = o.Terms(t.Context()); err != nil {
		t.Fatal(err)
	}
	plan, n, err := v.Plan(t.Context(), 0)
	if err != nil || n < 2 {
		t.Fatalf("%d segments, %v", n, err)
	}
	r.Plan = plan
	var mu sync.Mutex
	segments, pictures := map[int][]byte{}, map[int][]byte{}
	full := errors.New("the disk is full")
	keep := func(most int) func(int, []byte, []byte) error {
		return func(n int, data, more []byte) error {
			mu.Lock()
			defer mu.Unlock()
			if len(segments) == most {
				return full
			}
			if segments[n] != nil {
				t.Errorf("segment %d was analysed twice", n)
			}
			segments[n], pictures[n] = data, more
			return nil
		}
	}
	if err = v.Analyse(t.Context(), plan, nil, Query{}, keep(1)); !errors.Is(err, full) || len(segments) != 1 {
		t.Fatalf("%d segments were kept before %v", len(segments), err)
	}
	if err = v.Analyse(t.Context(), plan, slices.Collect(maps.Keys(segments)), Query{}, keep(n)); err != nil || len(segments) != n {
		t.Fatalf("%d of %d segments are kept: %v", len(segments), n, err)
	}
	r.Each = func(wanted bool, each func(int, []byte, []byte) error) error {
		for i := range n {
			more := pictures[i]
			if !wanted {
				more = nil
			}
			if err := each(i, segments[i], more); err != nil {
				return err
			}
		}
		return nil
	}
	return r
}

// recall compares what is recalled of a record with what a search has found, and looks the people up in a crowd.
func (o *opened) recall(t *testing.T, r *Record, who *People, found *Findings) {
	t.Helper()
	recalled, err := o.Recall(t.Context(), r, who, true)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(found, recalled, cmpopts.EquateEmpty()); d != "" {
		t.Error("findings (-search +recalled):\n" + d)
	}
	if recalled, err = o.Recall(t.Context(), r, who, false); err != nil || recalled.Portraits != nil {
		t.Errorf("%d portraits, %v", len(recalled.Portraits), err)
	}
	o.among(t, r, who, found)
	failing := *r
	failing.Failure = "between 0:00:20 and 0:00:30: it crashed"
	if recalled, err = o.Recall(t.Context(), &failing, who, false); err == nil || err.Error() != failing.Failure || len(recalled.Sightings) == 0 {
		t.Errorf("%d sightings, %v", len(recalled.Sightings), err)
	}
}

// among looks the people up in a crowd.
func (o *opened) among(t *testing.T, r *Record, who *People, found *Findings) {
	t.Helper()
	best := face.Similarity(0)
	for _, s := range found.Sightings {
		for _, m := range s.Matches {
			best = max(best, m.Similarity)
		}
	}
	crowd, err := o.NewCrowd()
	if err != nil {
		t.Fatal(err)
	}
	defer crowd.Close() //nolint:errcheck // it has none
	codes, _, err := o.Codes(3, r)
	if err == nil {
		err = crowd.Add(3, codes)
	}
	if err != nil {
		t.Fatal(err)
	}
	list, err := crowd.Candidates(t.Context(), who)
	if err != nil || len(list) != 1 || list[0].Number != 3 || list[0].AtMost < best || list[0].AtMost > best+1 {
		t.Errorf("candidates %v (%v), want record 3 with a little more than %v", list, err, best)
	}
}

// TestStandings tells what a record is worth by how its terms differ.
func TestStandings(t *testing.T) {
	t.Parallel()
	r := analysisRecord{Version: analysisVersion, Revision: 3, Model: "m", Pack: "p", Decoder: "d", Portraits: true}
	own, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*analysisRecord)
		want   Standing
	}{
		"nothing":       {func(*analysisRecord) {}, Current},
		"decoder":       {func(r *analysisRecord) { r.Decoder = "e" }, OtherDecoder},
		"sample rate":   {func(r *analysisRecord) { r.Params.SampleRate = 2 }, OtherSettings},
		"both":          {func(r *analysisRecord) { r.Decoder, r.Params.Samples = "e", 1 }, OtherSettings},
		"portraits":     {func(r *analysisRecord) { r.Portraits = false }, OtherSettings},
		"model":         {func(r *analysisRecord) { r.Model = "n" }, OtherModels},
		"pack":          {func(r *analysisRecord) { r.Pack = "q" }, OtherModels},
		"revision":      {func(r *analysisRecord) { r.Revision = 2 }, OtherModels},
		"newer version": {func(r *analysisRecord) { r.Version++ }, OtherModels},
	} {
		other := r
		c.change(&other)
		terms, err := other.encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := StandingOf(terms, own); err != nil || got != c.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if _, err := StandingOf([]byte("{"), own); err == nil || !strings.Contains(err.Error(), "how a video was analysed") {
		t.Error(err)
	}
}
