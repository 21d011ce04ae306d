package app

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
)

// TestVideoErrorsSayWhatMayPass sorts failures: only that somebody else killed the decoder, or that there is none, is
// worth another try.
func TestVideoErrorsSayWhatMayPass(t *testing.T) {
	t.Parallel()
	for kind, want := range map[video.Kind]service.Kind{
		video.Killed: service.Unavailable, video.Unavailable: service.Unavailable, video.Crashed: service.Invalid,
		video.Timeout: service.Invalid, video.TooLarge: service.Invalid, video.Invalid: service.Invalid,
		video.Unsupported: service.Invalid, video.NoVideo: service.Invalid,
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
	if have := partialMessage(missing); have != want {
		t.Errorf("%q, want %q", have, want)
	}
}
