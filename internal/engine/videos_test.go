package engine

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
)

// TestVideoErrorsSayWhatMayPass sorts failures: only that somebody else killed the decoder, that there is none, or nothing
// to start it with, is worth another try.
func TestVideoErrorsSayWhatMayPass(t *testing.T) {
	t.Parallel()
	for kind, want := range map[video.Kind]service.Kind{
		video.Killed: service.Unavailable, video.Unavailable: service.Unavailable, video.Crashed: service.Invalid,
		video.Timeout: service.Invalid, video.TooLarge: service.Invalid, video.Invalid: service.Invalid,
		video.Exhausted: service.Unavailable, video.Unsupported: service.Invalid, video.NoVideo: service.Invalid,
	} {
		err := videoError(&video.Error{Kind: kind, Reason: "The reason."})
		if have := service.KindOf(err); have != want {
			t.Errorf("%v became %v, want %v", kind, have, want)
		}
		if kind != video.Unavailable && !strings.Contains(err.Error(), "The reason.") {
			t.Errorf("%v: %q lost the reason", kind, err)
		}
	}
}

// TestDamageOfSegmentsIsTold adds up what the plan and the segments of a job know to be missing.
func TestDamageOfSegmentsIsTold(t *testing.T) {
	t.Parallel()
	plan := video.Plan{Videos: []int32{0, 2}, Damage: video.Damage{Truncated: true}}
	data, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	damages := []video.Damage{{Refused: 2}, {}, {Refused: 1, Lost: 1500 * time.Millisecond, Backwards: 9}}
	tracklets, missing, err := readSegments(&service.JobPlan{Data: data, Segments: 3}, func(n int) ([]byte, error) {
		var out bytes.Buffer
		encoded := gob.NewEncoder(&out).Encode(segmentData{Damage: damages[n]})
		return out.Bytes(), encoded
	})
	if err != nil || len(tracklets) != 3 {
		t.Fatalf("%d tracklets, %v", len(tracklets), err)
	}
	const want = "Searched in part: 3 damaged packets could not be decoded; 1.5 s of the video cannot be read; the file ends too " +
		"early: it was cut off or damaged, or is still being written; the file has 2 video tracks, and only track 1 was searched."
	if have := Message(missing, nil); have != want {
		t.Errorf("%q, want %q", have, want)
	}
}

// TestTriedOnceMore counts tries: once more where the reason may have gone, and never a third time.
func TestTriedOnceMore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failures []error
		tries    int
	}{
		"works":                   {nil, 1},
		"killed once":             {[]error{&video.Error{Kind: video.Killed}}, 2},
		"killed twice":            {[]error{&video.Error{Kind: video.Killed}, &video.Error{Kind: video.Killed}}, 2},
		"short of files once":     {[]error{fmt.Errorf("open: %w", &video.Error{Kind: video.Exhausted})}, 2},
		"a lie of the decoder's":  {[]error{&video.Error{Kind: video.Crashed}}, 1},
		"the time limit":          {[]error{&video.Error{Kind: video.Timeout}}, 1},
		"the file":                {[]error{&video.Error{Kind: video.Invalid}}, 1},
		"no decoder":              {[]error{&video.Error{Kind: video.Unavailable}}, 1},
		"something else entirely": {[]error{errors.New("the disk is full")}, 1},
	} {
		tries := 0
		_, err := onceMore(t.Context(), func() (int, error) {
			if tries++; tries <= len(c.failures) {
				return 0, c.failures[tries-1]
			}
			return 1, nil
		})
		if tries != c.tries || (err == nil) != (tries > len(c.failures)) {
			t.Errorf("%s: %d tries, then %v, want %d tries", name, tries, err, c.tries)
		}
	}
}

// TestPassingTroubleIsNotThePhotos has a decoder that is short of files: no photo is refused for it.
func TestPassingTroubleIsNotThePhotos(t *testing.T) {
	t.Parallel()
	trouble := passing(t.Context(), &video.Error{Kind: video.Exhausted, Reason: "Short of files."})
	if have := service.KindOf(photoError(trouble)); have != service.Unavailable {
		t.Errorf("%v, want %v", have, service.Unavailable)
	}
	if err := passing(t.Context(), &video.Error{Kind: video.Invalid}); errors.Is(err, photo.ErrPassing) {
		t.Errorf("%v passes", err)
	}
}

// TestFinishTellsDamage finishes a job whose segments found nobody and are damaged: the job says so.
func TestFinishTellsDamage(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(video.Plan{})
	if err != nil {
		t.Fatal(err)
	}
	pack, err := recognizer.LoadPack(filepath.Join("..", "..", "models", "default"))
	if err != nil {
		t.Skip("no model pack here (make setup): ", err)
	}
	s := &stored{Engine: &Engine{pipeline: pipeline{pack: pack, params: search.DefaultParams(*pack.Scale())}}}
	eyes, err := s.Under(nil)
	if err != nil {
		t.Fatal(err)
	}
	found, err := eyes.Finish(t.Context(), &service.JobPlan{Data: data, Segments: 1}, func(int) ([]byte, error) {
		var out bytes.Buffer
		encoded := gob.NewEncoder(&out).Encode(segmentData{Damage: video.Damage{Concealed: 2}})
		return out.Bytes(), encoded
	}, service.Matching{MaxMatches: 1})
	if err != nil {
		t.Fatal(err)
	}
	if want := "Searched in part: 2 frames are damaged."; found.Message != want {
		t.Errorf("%q, want %q", found.Message, want)
	}
}
