package recognizer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// mostInTurn bounds the candidates of one turn that are looked at again: a handful tells which way a picture is up.
const mostInTurn = 8

// Upright says by how many quarters clockwise a picture has to be turned for its people to be upright: by that turn in which
// the embedder makes most of a face. A detector finds many a face that lies on its side, and the second look believes it;
// but what is embedded of it is short. known is false where no face could be told from others in any turn. Of clips that
// lay on all sides, 125 of 143 pictures with faces are told, all of them rightly.
func (r *Recognizer) Upright(ctx context.Context, p *face.Picture) (quarters int, known bool, err error) {
	if err := p.Check(); err != nil {
		return 0, false, fmt.Errorf("find out which way a picture is up: %w", err)
	}
	longest := float32(0)
	for turn := range 4 {
		norm, err := r.clearest(ctx, r.turn(p, turn))
		if err != nil {
			return 0, false, fmt.Errorf("find out which way a picture is up: %w", err)
		}
		if norm > longest {
			quarters, longest = turn, norm
		}
	}
	return quarters, longest > 0, nil
}

// clearest is the embedding's length of the face of a picture that can best be told from others; 0 if none can.
func (r *Recognizer) clearest(ctx context.Context, p *face.Picture) (longest float32, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r.detector.found = r.detector.found[:0]
	if err := r.detector.collect(p, 0); err != nil {
		return 0, err
	}
	found := slices.Clone(r.detector.suppress()) // the detector looks again meanwhile
	for i := range found[:min(len(found), mostInTurn)] {
		if found[i].box.Height() < float32(r.options.MinFaceHeight) {
			continue
		}
		f, _, err := r.face(ctx, p, &found[i])
		if err != nil && !errors.Is(err, errNoFace) {
			return 0, err
		}
		if err == nil && !f.Doubtful {
			longest = max(longest, f.Sample.Norm)
		}
	}
	return longest, nil
}

// turn is a new RGB picture: the given one turned clockwise by so many quarters.
func (r *Recognizer) turn(p *face.Picture, quarters int) *face.Picture {
	right, bottom := float64(p.Width-1), float64(p.Height-1)
	w, h, m := p.Width, p.Height, raster.Affine{XX: 1, YY: 1}
	switch quarters & 3 {
	case 1:
		w, h, m = h, w, raster.Affine{XY: 1, YX: -1, Y0: bottom}
	case 2:
		m = raster.Affine{XX: -1, X0: right, YY: -1, Y0: bottom}
	case 3:
		w, h, m = h, w, raster.Affine{XY: -1, X0: right, YX: 1}
	}
	view := &face.Picture{Width: w, Height: h, Layout: face.RGB, Strides: [3]int{3 * w}}
	view.Planes[0] = make([]byte, 3*w*h)
	r.warper.Warp(view, p, m, raster.Replicate)
	return view
}
