package service

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

func TestByPersonAscendsByTimeWithinAPerson(t *testing.T) {
	t.Parallel()
	seen := func(at time.Duration, person int, matches ...face.Similarity) face.Sighting {
		s := face.Sighting{Time: at, Person: person}
		for _, m := range matches {
			s.Matches = append(s.Matches, face.Match{Similarity: m})
		}
		return s
	}
	list := []face.Sighting{seen(0, 1), seen(1, 0), seen(2, 0, 85), seen(2, 1), seen(3, 0), seen(4, 0, 95, 81), seen(5, 1, 80)}
	slices.SortStableFunc(list, byPerson)
	type place struct {
		Person int
		Time   time.Duration
	}
	var order []place
	for _, s := range list {
		order = append(order, place{s.Person, s.Time})
	}
	if d := cmp.Diff([]place{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 0}, {1, 2}, {1, 5}}, order); d != "" {
		t.Error("order (-want +got):\n" + d)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	plan := &JobPlan{Segments: 4, Info: face.VideoInfo{Duration: 80 * time.Second}}
	for name, c := range map[string]struct {
		job  Job
		want Progress
	}{
		"not looked at": {Job{State: InProgress}, Progress{}},
		"none done":     {Job{State: InProgress, Plan: plan}, Progress{}},
		"one done":      {Job{State: InProgress, Plan: plan, SegmentsDone: 1}, Progress{Done: 0.25, Speed: 2, Left: 30 * time.Second}},
		"all done":      {Job{State: InProgress, Plan: plan, SegmentsDone: 4}, Progress{Done: 1, Speed: 8}},
		"ended": {
			Job{State: Succeeded, Plan: plan, SegmentsDone: 4, Finished: began.Add(5 * time.Second)}, Progress{Done: 1, Speed: 16},
		},
		"failed": {
			Job{State: Failed, Plan: plan, SegmentsDone: 2, Finished: began.Add(5 * time.Second)}, Progress{Done: 0.5, Speed: 8},
		},
	} {
		c.job.Created = began
		if d := cmp.Diff(c.want, c.job.progress(began.Add(10*time.Second))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestAttributesRecords: what is read is what was kept, to 1e-5, and records of before are read too.
func TestAttributesRecords(t *testing.T) {
	t.Parallel()
	want := &face.Attributes{
		Age: &face.AgeRange{Low: 20, High: 30}, Smile: &face.Trait{Value: true, Confidence: 99},
		Emotions: []face.Emotion{{Type: face.Happy, Confidence: 98}}, Further: &face.FurtherLandmarks{2: {X: 0.25, Y: -0.5}},
	}
	bare := *want
	bare.Further = nil
	for text, want := range map[string]*face.Attributes{
		`{"Age":{"Low":20,"High":30},"Gender":null,"Smile":{"Value":true,"Confidence":99},"EyesOpen":null,"MouthOpen":null,` +
			`"Emotions":[{"Type":"HAPPY","Confidence":98}],"Further":[0,0,0,0,0.25,-0.5` + strings.Repeat(",0", 40) + `]}`: want,
		`{"Age":{"Low":20,"High":30},"Gender":null,"Smile":{"Value":true,"Confidence":99},"EyesOpen":null,"MouthOpen":null,` +
			`"Emotions":[{"Type":"HAPPY","Confidence":98}]}`: &bare,
		`null`: nil,
	} {
		kept, err := json.Marshal(attributesRecordOf(want))
		if err != nil || string(kept) != text {
			t.Errorf("kept as\n%s, want\n%s; %v", kept, text, err)
		}
		var read *attributesRecord
		if err := json.Unmarshal([]byte(text), &read); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, read.attributes()); d != "" {
			t.Error("read (-want +got):\n" + d)
		}
	}
	var before *attributesRecord
	if err := json.Unmarshal([]byte(`{"Age":{"Low":20,"High":30},"Points":null}`), &before); err != nil || before.attributes().Age.Low != 20 {
		t.Errorf("of before: %+v, %v", before, err)
	}
	if got := rounded(0.123456789); got != 0.12346 {
		t.Errorf("rounded to %v", got)
	}
}
