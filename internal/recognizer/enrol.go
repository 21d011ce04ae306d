package recognizer

import (
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// RefusedError says why no face of a photo can be enrolled, in a sentence for the person who took the photo.
type RefusedError struct{ Reason string }

// Error is the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Enrol finds the face of a photo to enrol: the largest that is good enough. Its sample is the [Recognizer.Template]. If
// there is none the error is a [*RefusedError]. others are the photo's other faces, largest first. The results are the
// caller's to keep.
func (r *Recognizer) Enrol(ctx context.Context, p *face.Picture) (chosen Face, others []Face, err error) {
	faces, err := r.Faces(ctx, p)
	if err != nil {
		return Face{}, nil, err
	}
	for i, f := range faces {
		if f.Refused == "" {
			f.Sample, err = r.Template(ctx, p, &f)
			return f, slices.Delete(faces, i, i+1), err
		}
	}
	return Face{}, faces, &RefusedError{Reason: refusalOf(faces)}
}

func refusalOf(faces []Face) string {
	switch len(faces) {
	case 0:
		return "no face found in the photo"
	case 1:
		return "the only face " + faces[0].Refused
	default:
		return fmt.Sprintf("none of the %d faces is good enough: the largest %s", len(faces), faces[0].Refused)
	}
}

// PortraitSide is the side of a portrait in pixels.
const PortraitSide = 160

// portraitFace is the part of a portrait's side that the face's box takes up, as on a passport photo.
const portraitFace = 0.62

// Portrait cuts an upright portrait around a face, PortraitSide pixels a side, with a margin around the box. What lies
// beside the picture is the colour of its edge. p must pass Check.
func (r *Recognizer) Portrait(p *face.Picture, d *face.Detection) *image.RGBA {
	box := d.Box.Pixels(p.Width, p.Height)
	scale := float64(max(box.Height(), 1)) / (portraitFace * PortraitSide)
	cx, cy := float64(box.X0+box.X1)/2, float64(box.Y0+box.Y1)/2
	m := raster.Affine{
		XX: scale, X0: cx - scale*PortraitSide/2 + scale/2 - 0.5,
		YY: scale, Y0: cy - scale*PortraitSide/2 + scale/2 - 0.5,
	}
	rgb := face.Picture{Width: PortraitSide, Height: PortraitSide, Layout: face.RGB, Strides: [3]int{3 * PortraitSide}}
	rgb.Planes[0] = make([]byte, 3*PortraitSide*PortraitSide)
	r.warper.Warp(&rgb, p, m, raster.Replicate)
	out := image.NewRGBA(image.Rect(0, 0, PortraitSide, PortraitSide))
	for i := range PortraitSide * PortraitSide {
		copy(out.Pix[4*i:4*i+3], rgb.Planes[0][3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}
