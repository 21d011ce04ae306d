package recognizer

import (
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// TestUpright lays group photos on each side.
func TestUpright(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	for _, name := range []string{"sample5.jpg", "sample6.jpg"} {
		whole := groupPhoto(t, name)
		small := r.scaler.Scale(whole, 640, 640*whole.Height/whole.Width)
		p := photo.Turned(&small, 0) // planes of its own
		for lies := range 4 {
			on := photo.Turned(p, lies)
			for _, picture := range []*face.Picture{on, toI420(on)} {
				turn, known, err := r.Upright(t.Context(), picture)
				if err != nil || !known || turn != (4-lies)%4 {
					t.Errorf("%s turned by %d: upright when turned by %d (%v, %v)", name, lies, turn, known, err)
				}
			}
		}
	}
}

// TestDrawingsAreNoWayUp looks at pictures that the detector alone sees faces in.
func TestDrawingsAreNoWayUp(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	for i := range 24 {
		if turn, known, err := r.Upright(t.Context(), drawing(i)); err != nil || known {
			t.Errorf("drawing %d is upright when turned by %d (%v)", i, turn, err)
		}
	}
}

// TestFacesThatNobodyCanTellAreNoWayUp blurs a group photo until its people could be anybody: faces are seen, and might be seen
// in any turn.
func TestFacesThatNobodyCanTellAreNoWayUp(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	p := groupPhoto(t, "sample5.jpg")
	tiny := r.scaler.Scale(p, 100, 100*p.Height/p.Width)
	coarse := photo.Turned(&tiny, 0) // planes of its own
	large := face.Picture{Width: 640, Height: 64 * coarse.Height / 10, Layout: face.RGB, Strides: [3]int{3 * 640}}
	large.Planes[0] = make([]byte, 3*640*large.Height)
	r.warper.Warp(&large, coarse, raster.Affine{XX: 100.0 / 640, YY: 100.0 / 640}, raster.Replicate)
	faces, err := r.Faces(t.Context(), &large)
	if err != nil || len(faces) == 0 {
		t.Fatalf("%d faces are seen (%v): this tests nothing", len(faces), err)
	}
	if turn, known, err := r.Upright(t.Context(), &large); err != nil || known {
		t.Errorf("upright when turned by %d (%v)", turn, err)
	}
}
