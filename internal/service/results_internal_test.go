package service

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
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

// TestFormsOfResultsStayWhatTheyWere holds how sightings and matches lie in chunks: results of earlier versions are read for a week.
func TestFormsOfResultsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	seen := face.Sighting{Time: 1500 * time.Millisecond, Person: 3, Detection: face.Detection{
		Box: face.Box{Left: 0.5, Top: 0.25, Width: 0.125, Height: 2}, Confidence: 99.5,
		Landmarks: face.Landmarks{{X: 1, Y: -1}, {X: 0.5, Y: 0.5}}, Pose: face.Pose{Roll: 1, Yaw: 2, Pitch: 3},
		Quality: face.Quality{Brightness: 4, Sharpness: 5},
	}}
	data, err := binary.Append(nil, binary.LittleEndian, newRecord(&seen, 7))
	const layout = "002f685900000000" + "03000000" + "07000000" + // time, person, list
		"0000003f" + "0000803e" + "0000003e" + "00000040" + // box
		"0000803f" + "000080bf" + "0000003f" + "0000003f" + "000000000000000000000000000000000000000000000000" + // landmarks
		"0000c742" + "0000803f" + "00000040" + "00004040" + "00008040" + "0000a040" // confidence, pose, quality
	if got := hex.EncodeToString(data); err != nil || got != layout || len(data) != recordSize {
		t.Errorf("a sighting is\n%s, want\n%s; %v", got, layout, err)
	}
	var r record
	if err = binary.Read(bytes.NewReader(data), binary.LittleEndian, &r); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(seen, r.sighting()); d != "" || r.List != 7 {
		t.Errorf("read of list %d (-want +got):\n%s", r.List, d)
	}

	hit := FaceHit{Similarity: 99.5, Own: 80, Face: Face{User: "anna", Version: "1.0", Enrolled: face.Enrolled{
		ID: face.ID{1}, ImageID: face.ID{2}, ExternalID: "a.1", Detection: seen.Detection,
	}}}
	const list = `[[{"Face":{"ID":"01000000-0000-0000-0000-000000000000","ImageID":"02000000-0000-0000-0000-000000000000",` +
		`"ExternalID":"a.1","Detection":{"Box":{"Left":0.5,"Top":0.25,"Width":0.125,"Height":2},"Landmarks":[{"X":1,"Y":-1},` +
		`{"X":0.5,"Y":0.5},{"X":0,"Y":0},{"X":0,"Y":0},{"X":0,"Y":0}],"Confidence":99.5,"Pose":{"Roll":1,"Yaw":2,"Pitch":3},` +
		`"Quality":{"Brightness":4,"Sharpness":5}},"User":"anna","Version":"1.0"},"Similarity":99.5,"Own":80}]]`
	if kept, unkept := json.Marshal([][]FaceHit{{hit}}); unkept != nil || string(kept) != list {
		t.Errorf("a list is\n%s, want\n%s; %v", kept, list, unkept)
	}
	lists := map[uint32][]FaceHit{}
	if err = (&Chunk{Data: []byte(list)}).lists([]uint32{1}, lists); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]FaceHit{hit}, lists[1]); d != "" {
		t.Error("read (-want +got):\n" + d)
	}
}

// damaged is a store whose chunks are some bytes.
type damaged struct {
	Store
	data []byte
}

func (d damaged) Chunks(context.Context, JobID, ChunkKind, int, int) ([]Chunk, error) {
	return []Chunk{{Data: bytes.Clone(d.data)}}, nil
}

// FuzzResults reads results from chunks that are anything.
func FuzzResults(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add(make([]byte, 3*recordSize), false)
	f.Add(append([]byte{chunkVersion}, make([]byte, 3*recordSize)...), true)
	f.Add([]byte("\x01[[],[null],[{}]]"), true)
	f.Fuzz(func(t *testing.T, data []byte, versioned bool) {
		s := Service{ports: Ports{Store: damaged{data: data}}}
		j := &Job{Attributes: true, Results: &Results{Sightings: 3}}
		if versioned {
			j.Results.Attempt = 7
		}
		for _, order := range []Order{ByTime, ByPerson} {
			if list, err := s.sightings(t.Context(), j, order, 0, 3); err == nil && len(list) != 3 {
				t.Errorf("%d sightings, want 3", len(list))
			}
		}
		_, _ = s.lists(t.Context(), j, []record{{List: 1}, {List: 3}, {List: 1<<32 - 1}})
		_ = s.addAttributes(t.Context(), j, make([]JobSighting, 3), 0)
	})
}
