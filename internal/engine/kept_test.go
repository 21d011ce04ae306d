package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// goldenPlan is the plan in the files testdata/plan.*.
func goldenPlan() *video.Plan {
	return &video.Plan{
		Info: face.VideoInfo{
			Codec: "h264", Format: "QuickTime / MOV", Duration: 31 * time.Second, FrameRate: 30000. / 1001, Width: 1920, Height: 1080,
			FullRange: true, Interlaced: true, Rotation: 270,
		},
		Segments: []video.Segment{
			{To: 15 * time.Second, Place: wire.Segment{From: wire.Beginning, To: 15000}},
			{Index: 1, From: 15 * time.Second, To: 31 * time.Second, Place: wire.Segment{
				From: 15000, To: wire.End, Seek: wire.SeekTime, KeyTime: 14999, SeekPos: 4096, Shift: -7, Begin: 8, Stop: 9,
			}},
		},
		Warnings: []string{"the file asks for a rotation that is no quarter turn; the nearest one is used"},
		Videos:   []int32{0, 2},
		Damage:   video.Damage{Truncated: true, Refused: 1, Lost: time.Millisecond},
		Track: video.Track{
			Container: wire.MP4, Stream: 2, Clock: wire.Clock{Num: 1, Den: 1000, Origin: -5, First: 40},
			Geometry: wire.Geometry{Width: 1920, Height: 1080, Orientation: 3}, Untimed: true, Deep: true, Bytes: 1 << 33, Base: 12,
			Until: 31000, RawRate: 25000, Tool: true, Interlaced: true, Space: "bt709",
		},
	}
}

// goldenSegment is the segment in the files testdata/segment.*.
func goldenSegment() *segmentData {
	seen := search.Observation{
		Time: 1500 * time.Millisecond,
		Detection: face.Detection{
			Box: face.Box{Left: 0.5, Top: 0.25, Width: 0.125, Height: 2}, Confidence: 99.5,
			Landmarks: face.Landmarks{{X: 1, Y: -1}, {X: 0.5, Y: 0.5}, {X: 0.1, Y: 0.2}, {X: 0.3, Y: 0.4}, {X: 0.6, Y: 0.7}},
			Pose:      face.Pose{Roll: 1, Yaw: 2, Pitch: 3}, Quality: face.Quality{Brightness: 4, Sharpness: 5},
		},
		Attributes: &face.Attributes{
			Age: &face.AgeRange{Low: 20, High: 30}, Gender: &face.Gender{Female: true, Confidence: 97.5},
			Smile: &face.Trait{Value: true, Confidence: 99}, EyesOpen: &face.Trait{Confidence: 60},
			MouthOpen: &face.Trait{Value: true, Confidence: 55},
			Emotions:  []face.Emotion{{Type: face.Happy, Confidence: 98}}, Further: &face.FurtherLandmarks{2: {X: 0.25, Y: -0.5}},
		},
	}
	return &segmentData{
		Tracklets: search.Tracklets{
			Stretch: 3, First: []byte{1, 2, 3}, Last: []byte{4, 5}, Frames: 75, Faces: 2, Upright: [4]int{5, 0, 1, 0},
			List: []search.Tracklet{
				{
					Track: 7, Weight: 1.25,
					Embedding:    face.Embedding{Model: "default-1.0-01234567", Vector: []float32{0.6, -0.8, 0, 1e-7}},
					Observations: []search.Observation{seen, {Time: 1700 * time.Millisecond}},
				},
				{Observations: []search.Observation{{Time: 2 * time.Second}}},
			},
		},
		Damage: video.Damage{
			Refused: 1, Missing: 2, Backwards: 3, Corrupt: 4, Concealed: 5, Lost: time.Second, Clocks: true, Truncated: true,
		},
	}
}

func golden(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// TestKeptFormsStayWhatTheyWere: jobs that were begun by an earlier version are read, and what is written is what was written.
func TestKeptFormsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v0", "v1"} {
		p, err := decodePlan(golden(t, "plan."+version))
		if d := cmp.Diff(goldenPlan(), p); err != nil || d != "" {
			t.Errorf("plan of %s: %v (-want +got):\n%s", version, err, d)
		}
		s, err := decodeSegment(golden(t, "segment."+version))
		if d := cmp.Diff(goldenSegment(), s); err != nil || d != "" {
			t.Errorf("segment of %s: %v (-want +got):\n%s", version, err, d)
		}
	}
	plan, err := encodePlan(goldenPlan())
	if want := golden(t, "plan.v1"); err != nil || !bytes.Equal(plan, want) {
		t.Errorf("a plan is kept as\n%s, want\n%s; %v", plan, want, err)
	}
	segment, err := encodeSegment(goldenSegment())
	if want := golden(t, "segment.v1"); err != nil || !bytes.Equal(segment, want) {
		t.Errorf("a segment is kept as\n%s, want\n%s; %v", segment, want, err)
	}
	for name, empty := range map[string]*segmentData{"nothing": {}, "one frame": {Tracklets: search.Tracklets{First: []byte{0}}}} {
		data, err := encodeSegment(empty)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeSegment(data)
		if d := cmp.Diff(empty, got); err != nil || d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
		}
	}
}

// TestPortraitsAreKept apart from the rest, in a form that stays.
func TestPortraitsAreKept(t *testing.T) {
	t.Parallel()
	full := search.Tracklets{List: []search.Tracklet{{Portrait: []byte("JPEG"), PortraitQuality: 0.5}, {}, {Portrait: []byte{1}, PortraitQuality: 2}}}
	data := encodePortraits(&full)
	if want := "\x01\x00\x00\x00\x3f\x04\x00\x00\x00JPEG" + strings.Repeat("\x00", 8) + "\x00\x00\x00\x40\x01\x00\x00\x00\x01"; string(data) != want {
		t.Errorf("kept as %q, want %q", data, want)
	}
	empty := search.Tracklets{List: make([]search.Tracklet, 3)}
	if err := decodePortraits(&empty, data); err != nil || !cmp.Equal(full, empty) {
		t.Errorf("%v, %v", empty, err)
	}
	if err := decodePortraits(&empty, nil); err != nil {
		t.Error(err)
	}
	for n := 1; n < len(data); n++ {
		if err := decodePortraits(&empty, data[:n]); !errors.Is(err, errPortraits) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if err := decodePortraits(&empty, append(data, 0)); !errors.Is(err, errPortraits) {
		t.Errorf("a byte more: %v", err)
	}
	data[0]++
	if err := decodePortraits(&empty, data); service.KindOf(err) != service.Elsewhere {
		t.Errorf("a newer form: %v", err)
	}
}

// TestKeptByANewerVersion: only a newer program can go on with it.
func TestKeptByANewerVersion(t *testing.T) {
	t.Parallel()
	for version := range byte(firstUnversioned) {
		data := []byte{version, '{', '}'}
		_, plan := decodePlan(data)
		_, segment := decodeSegment(data)
		for what, err := range map[string]error{"plan": plan, "segment": segment} {
			switch {
			case version == formVersion && err != nil:
				t.Errorf("%s of version %d: %v", what, version, err)
			case version == 0 && (err == nil || service.KindOf(err) != service.Internal):
				t.Errorf("%s that begins with 0: %v", what, err)
			case version > formVersion && service.KindOf(err) != service.Elsewhere:
				t.Errorf("%s of version %d: %v", what, version, err)
			}
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(golden(f, "plan.v0"))
	f.Add(golden(f, "plan.v1"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodePlan(data)
		if err != nil {
			return
		}
		again, err := encodePlan(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodePlan(again); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSegment(f *testing.F) {
	f.Add(golden(f, "segment.v0"))
	f.Add(golden(f, "segment.v1"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeSegment(data)
		if err != nil {
			return
		}
		again, err := encodeSegment(s)
		if err != nil {
			return // numbers that are none, of which a damaged gob is full
		}
		if _, err := decodeSegment(again); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDamagedFormsAreReadOrRefused damages what is kept at each place, and cuts it off there.
func TestDamagedFormsAreReadOrRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plan.v0", "plan.v1", "segment.v0", "segment.v1"} {
		whole := golden(t, name)
		for i := range whole {
			for _, b := range []byte{0, whole[i] + 1, whole[i] ^ 0x80, '"', 0xff} {
				damaged := bytes.Clone(whole)
				damaged[i] = b
				for _, data := range [][]byte{damaged, whole[:i]} { // and nothing panics
					_, _ = decodePlan(data)
					_, _ = decodeSegment(data)
				}
			}
		}
	}
	for _, bad := range []string{
		`{"tracklets":[{"observations":"AAAA"}]}`, `{"tracklets":[{"vector":"AAAA"}]}`, `{"tracklets":[{"attributes":[null]}]}`, `{"upright":1}`,
	} {
		if s, err := decodeSegment(append([]byte{formVersion}, bad...)); err == nil {
			t.Errorf("%s is read as %+v", bad, s)
		}
	}
	if p, err := decodePlan(append([]byte{formVersion}, `{"segments":[[0,0,0,0,257]]}`...)); err == nil {
		t.Errorf("read as %+v", p)
	}
}
