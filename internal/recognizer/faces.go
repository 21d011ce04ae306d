package recognizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// Face is a face found in a photo.
type Face struct {
	Detection face.Detection
	Sample    face.Sample
	// Height is the box's height in pixels of the photo.
	Height float32
	// Doubtful says that it may be no face, or that no embedder can tell it from others: a part of one, or too blurred,
	// too dark or too much covered.
	Doubtful bool
	// Refused says why the face is not good enough to enrol, as the end of a sentence that begins with the face: "is 18
	// pixels high; at least 40 are needed". Empty if it is good enough.
	Refused string
}

// maxEnrolYaw and maxEnrolPitch bound how far a face to enrol may be turned away, in degrees. Beyond it one side of the
// face is hidden, and what is seen resembles other profiles more than the person's own front.
const (
	maxEnrolYaw   = 65
	maxEnrolPitch = 50
)

// maxPhotoFaces bounds the faces of one photo: Rekognition's bound for one image. The largest count.
const maxPhotoFaces = 100

// errNoFace says that a candidate is none.
var errNoFace = errors.New("no face")

// Faces finds the faces of a photo, largest first and at most 100, each with its embedding; those that are not good
// enough to enrol say why. What only resembles a face is left out. The result is the caller's to keep.
func (r *Recognizer) Faces(ctx context.Context, p *face.Picture) ([]Face, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("find the photo's faces: %w", err)
	}
	found, err := r.search(ctx, p)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.box.Height(), a.box.Height()) })
	found = slices.Clone(found[:min(len(found), maxPhotoFaces)]) // the detector looks again meanwhile
	var faces []Face
	var whole []face.PixelBox // the boxes of plausible faces
	for i := range found {
		if slices.ContainsFunc(whole, func(b face.PixelBox) bool { return holds(b, found[i].box) }) {
			continue
		}
		f, plausible, err := r.face(ctx, p, &found[i])
		if errors.Is(err, errNoFace) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find the photo's faces: %w", err)
		}
		if plausible {
			whole = append(whole, found[i].box)
		}
		faces = append(faces, f)
	}
	return faces, nil
}

// search finds the candidates of a photo at all scales, in pixels of the photo, best first.
func (r *Recognizer) search(ctx context.Context, p *face.Picture) ([]candidate, error) {
	d := r.detector
	d.found = d.found[:0]
	long := max(p.Width, p.Height)
	for i, side := range r.photoSides {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if side = min(side, long); i > 0 && side == min(r.photoSides[i-1], long) {
			break
		}
		before := len(d.found)
		w, h := raster.Fit(p.Width, p.Height, side)
		small := r.scaler.Scale(p, w, h)
		if err := d.collect(&small, before); err != nil {
			return nil, err
		}
		for i := range d.found[before:] {
			d.found[before+i].resize(float32(p.Width)/float32(w), float32(p.Height)/float32(h))
		}
	}
	return d.suppress(), nil
}

// face measures and embeds a candidate, in pixels of the photo, and says whether it is plainly a whole face. What is no face
// is errNoFace.
func (r *Recognizer) face(ctx context.Context, p *face.Picture, c *candidate) (f Face, plausible bool, err error) {
	f.Height = c.box.Height()
	if err = r.points(p, c); err != nil {
		return f, false, err
	}
	is, err := r.isFace(p, c)
	if err == nil && !is {
		err = errNoFace
	}
	if err != nil {
		return f, false, err
	}
	figure := math.Inf(1)
	if r.landmarker != nil {
		if figure, err = r.plausibility(p, c.box, c.score); err != nil {
			return f, false, err
		}
	}
	var aligned bool
	if f.Detection, aligned = r.measure(p, c); !aligned {
		figure = math.Inf(-1)
	}
	r.Align(p, &f.Detection, &r.crop)
	if f.Sample, err = r.Embed(ctx, &r.crop); err != nil && !errors.Is(err, errNoDirection) {
		return f, false, err
	}
	f.Refused = r.refusal(&f, figure)
	f.Doubtful = !(figure >= minEnrolPlausible) || f.Sample.Norm < r.pack.manifest.Embedder.MinNorm
	return f, figure >= minPlausible, nil
}

// refusal says why a face is not good enough to enrol; empty if it is.
func (r *Recognizer) refusal(f *Face, plausibility float64) string {
	pose := f.Detection.Pose
	switch {
	case !(plausibility >= minEnrolPlausible) || f.Sample.Embedding.Vector == nil:
		return "does not look enough like a face (a part of one, or something else)"
	case f.Height < float32(r.options.MinEnrolHeight):
		// Rounded down: "40 pixels high; at least 40 are needed" would contradict itself.
		return fmt.Sprintf("is %d pixels high; at least %d are needed", int(f.Height), r.options.MinEnrolHeight)
	case math.Abs(float64(pose.Yaw)) > maxEnrolYaw:
		return "is turned too far to the side"
	case math.Abs(float64(pose.Pitch)) > maxEnrolPitch:
		return "is tilted too far up or down"
	case f.Sample.Norm < r.pack.manifest.Embedder.MinNorm:
		return "is too blurred, too dark or too much covered to be told from others"
	default:
		return ""
	}
}

// holds says whether the larger box holds the smaller one nearly whole: then that is a part of the same face.
func holds(larger, smaller face.PixelBox) bool {
	const nearly = 0.8
	w := min(larger.X1, smaller.X1) - max(larger.X0, smaller.X0)
	h := min(larger.Y1, smaller.Y1) - max(larger.Y0, smaller.Y0)
	return w > 0 && h > 0 && w*h >= nearly*smaller.Width()*smaller.Height()
}
