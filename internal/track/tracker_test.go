package track_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/track"
)

const interval = 200 * time.Millisecond

func at(x, y, size, confidence float32) face.Detection {
	return face.Detection{
		Box:        face.Box{Left: x - size/2, Top: y - size/2, Width: size, Height: size},
		Confidence: confidence,
	}
}

// follow runs frames of detections, interval apart, through a new tracker.
func follow(frames [][]face.Detection, cuts ...int) [][]int {
	tr := track.New(track.DefaultParams(), interval)
	var out [][]int
	for i, dets := range frames {
		ids, _ := tr.Update(time.Duration(i)*interval, slices.Contains(cuts, i), dets)
		out = append(out, ids)
	}
	return out
}

func TestTracker(t *testing.T) {
	t.Parallel()
	still := at(0.5, 0.5, 0.1, 95)
	other := at(0.2, 0.5, 0.1, 95)
	faint := at(0.5, 0.5, 0.1, 40)
	for name, tt := range map[string]struct {
		frames [][]face.Detection
		cuts   []int
		want   [][]int
	}{
		"a still face is one tracklet": {
			frames: [][]face.Detection{{still}, {still}, {still}},
			want:   [][]int{{0}, {0}, {0}},
		},
		"two faces keep their numbers whatever their order": {
			frames: [][]face.Detection{{still, other}, {other, still}},
			want:   [][]int{{0, 1}, {1, 0}},
		},
		"a cut ends it": {
			frames: [][]face.Detection{{still}, {still}},
			cuts:   []int{1},
			want:   [][]int{{0}, {1}},
		},
		"a short gap is bridged": {
			frames: [][]face.Detection{{still}, {}, {still}},
			want:   [][]int{{0}, {}, {0}},
		},
		"a long gap is not": {
			frames: [][]face.Detection{{still}, {}, {}, {}, {still}},
			want:   [][]int{{0}, {}, {}, {}, {1}},
		},
		"a face that moves by its own width is followed": {
			frames: [][]face.Detection{{at(0.3, 0.5, 0.1, 95)}, {at(0.4, 0.5, 0.1, 95)}, {at(0.5, 0.5, 0.1, 95)}},
			want:   [][]int{{0}, {0}, {0}},
		},
		"a face that is where nobody can have come from is another": {
			frames: [][]face.Detection{{at(0.3, 0.5, 0.1, 95)}, {at(0.45, 0.5, 0.1, 95)}},
			want:   [][]int{{0}, {1}},
		},
		"a face that moves fast does not take the place of one that stays": {
			frames: [][]face.Detection{{at(0.3, 0.5, 0.1, 95), at(0.4, 0.5, 0.1, 95)}, {at(0.4, 0.5, 0.1, 95), at(0.5, 0.5, 0.1, 95)}},
			want:   [][]int{{0, 1}, {1, 2}},
		},
		"a doubtful detection continues a face": {
			frames: [][]face.Detection{{still}, {faint}, {still}},
			want:   [][]int{{0}, {0}, {0}},
		},
		"and starts none": {
			frames: [][]face.Detection{{faint}, {faint}},
			want:   [][]int{{track.None}, {track.None}},
		},
		"the confident detection has the first choice": {
			frames: [][]face.Detection{{still}, {at(0.5, 0.5, 0.1, 40), at(0.52, 0.5, 0.1, 90)}},
			want:   [][]int{{0}, {track.None, 0}},
		},
		"a box without extent is nothing": {
			frames: [][]face.Detection{{{Confidence: 99}}},
			want:   [][]int{{track.None}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := follow(tt.frames, tt.cuts...)
			for i := range got {
				if !slices.Equal(got[i], tt.want[i]) {
					t.Errorf("frame %d: got %v, want %v", i, got[i], tt.want[i])
				}
			}
		})
	}
}

func TestMotionIsPredicted(t *testing.T) {
	t.Parallel()
	// 60 % of its width a frame: without prediction successive boxes overlap by a quarter and then lose each other when one
	// frame is missing; with it the face is found again where it must be.
	var frames [][]face.Detection
	for i := range 10 {
		x := 0.1 + 0.06*float32(i)
		if i == 6 {
			frames = append(frames, nil)
			continue
		}
		frames = append(frames, []face.Detection{at(x, 0.5, 0.1, 95)})
	}
	// it starts slowly enough to be caught
	frames[0] = []face.Detection{at(0.115, 0.5, 0.1, 95)}
	for i, ids := range follow(frames) {
		if i != 6 && ids[0] != 0 {
			t.Fatalf("frame %d: tracklet %d", i, ids[0])
		}
	}
}

func TestFacesThatPassKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	var frames [][]face.Detection
	for i := range 21 {
		x := 0.02 * float32(i)
		frames = append(frames, []face.Detection{at(0.3+x, 0.48, 0.1, 95), at(0.7-x, 0.54, 0.1, 95)})
	}
	for i, ids := range follow(frames) {
		if !slices.Equal(ids, []int{0, 1}) {
			t.Fatalf("frame %d: %v", i, ids)
		}
	}
}

func TestLowFrameRatesAreFollowedToo(t *testing.T) {
	t.Parallel()
	tr := track.New(track.DefaultParams(), time.Second)
	for i := range 4 {
		ids, _ := tr.Update(time.Duration(i)*time.Second, false, []face.Detection{at(0.5, 0.5, 0.1, 95)})
		if ids[0] != 0 {
			t.Fatalf("second %d: tracklet %d", i, ids[0])
		}
	}
}

// Whatever is detected: no tracklet has two detections of one frame, every confident detection has one, numbers are
// given in order, and every tracklet ends exactly once.
func TestInvariants(t *testing.T) {
	t.Parallel()
	detection := rapid.Custom(func(t *rapid.T) face.Detection {
		return at(rapid.Float32Range(-0.2, 1.2).Draw(t, "x"), rapid.Float32Range(-0.2, 1.2).Draw(t, "y"),
			rapid.Float32Range(0.01, 0.5).Draw(t, "size"), rapid.Float32Range(0, 100).Draw(t, "confidence"))
	})
	rapid.Check(t, func(t *rapid.T) {
		p := track.DefaultParams()
		tr := track.New(p, interval)
		next, now := 0, time.Duration(0)
		over := map[int]bool{}
		end := func(ids []int) {
			for _, id := range ids {
				if over[id] || id >= next {
					t.Fatalf("tracklet %d ended twice or never was", id)
				}
				over[id] = true
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			now += time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "step"))
			dets := rapid.SliceOfN(detection, 0, 6).Draw(t, "detections")
			ids, ended := tr.Update(now, rapid.Bool().Draw(t, "cut"), dets)
			end(ended)
			seen := map[int]bool{}
			for i, id := range ids {
				if id == track.None {
					if dets[i].Confidence >= p.Confident {
						t.Fatalf("confident detection %d has no tracklet", i)
					}
					continue
				}
				if seen[id] || over[id] || id > next {
					t.Fatalf("tracklet %d of %v (next is %d)", id, ids, next)
				}
				seen[id] = true
				next = max(next, id+1)
			}
		}
		end(tr.End())
		if len(over) != next {
			t.Fatalf("%d of %d tracklets ended", len(over), next)
		}
	})
}
