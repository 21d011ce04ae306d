package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// A detector finds faces in hands, collars and cheeks too, some with a score near 1. What such a thing lacks is a place
// where the landmarks belong: asked again with the square around it a little larger, the model puts them elsewhere. So a
// detection's plausibility is the detector's score and the steadiness of its landmarks in one figure,
//
//	0.2 * log-odds of the score - log of the landmarks' mean shift, in sides of the square
//
// found by logistic regression over 5,400 detections looked at by eye or matched with ground truth
// (docs/decisions/0003-default-pack.md has the table, and what was tried instead).
const (
	// zoom is how much larger the second square is. With a shift as well the figure is hardly better.
	zoom = 1.12
	// scoreWeight is the log-odds' part.
	scoreWeight = 0.2
	// leastShift keeps the logarithm finite.
	leastShift = 0.001
	// sureScore is the score from which a frame's detection is believed unasked: most are above it, and it saves half
	// of the landmark model's time.
	sureScore = 0.98
	// minPlausible is what a frame's detection needs: of video frames' faces 98.5 % have it, of other things half.
	// Raising it loses turned and blurred faces.
	minPlausible = 3.2
	// minEnrolPlausible is what a face to enrol needs, whatever its score. Together with the norm it let none of the
	// wrong detections in photos at 320 and 640 pixels pass.
	minEnrolPlausible = 3.4
)

// plausibility of a detection whose landmarks lie in r.shape, in the picture's pixels.
func (r *Recognizer) plausibility(p *face.Picture, box face.PixelBox, score float32) (float64, error) {
	shift, err := r.shift(p, box)
	s := min(max(float64(score), 1e-3), 1-1e-4)
	return scoreWeight*math.Log(s/(1-s)) - math.Log(shift+leastShift), err
}

// shift is how far the landmarks in r.shape move on the mean when the square around the box is larger, in sides of it.
func (r *Recognizer) shift(p *face.Picture, box face.PixelBox) (float64, error) {
	square := box.Square()
	grow := square.Height() * (zoom - 1) / 2
	square = face.PixelBox{X0: square.X0 - grow, Y0: square.Y0 - grow, X1: square.X1 + grow, Y1: square.Y1 + grow}
	if err := r.landmarker.find(p, square, &r.second); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, q := range r.shape {
		sum += math.Hypot(float64(q.X-r.second[i].X), float64(q.Y-r.second[i].Y))
	}
	return sum / float64(len(r.shape)) / float64(box.Height()), nil
}

// A photo's candidate is looked at twice more by the detector itself, alone in a square of its surroundings and at other
// sizes than it was found at. A face is a face at any size: of 1,371 real ones 99 in 100 are found again with a score near
// 1. Hands, necklaces, grass and stripes are not. With the steadiness of the landmarks that is one figure,
//
//	mean log-odds of both scores - 2 * log of the landmarks' mean shift
//
// whose weights are those of a logistic regression, rounded (docs/decisions/0010-photos-and-faces.md).
const (
	// leastSecond is what a photo's candidate needs to be a face at all. Wrong ones came up to 6.2, real ones down to 6.5.
	leastSecond = 6.3
	// tinyFace is the height in pixels below which landmarks are never steady, so that the looks decide alone.
	tinyFace = 20
	// leastTiny is the mean log-odds that a tiny face needs: six of eight wrong ones lie below, two thirds of the real
	// ones above.
	leastTiny = -2
	// secondOverlap is how well a look must agree with the box, as intersection over union.
	secondOverlap = 0.45
	// faintest and surest bound the scores, so that no look decides alone.
	faintest, surest = 0.02, 0.999
)

// secondLooks are how a candidate is looked at again: the square's side in box heights, and in pixels for the model. The
// face is about 50 pixels high in both, with little and with much around it.
func secondLooks() [2]struct{ times, side int } {
	return [2]struct{ times, side int }{{2, 96}, {3, 160}}
}

// isFace says whether a photo's candidate, whose landmarks lie in r.shape, can be a face at all. Where the detector gives
// the landmarks, these alone decide.
func (r *Recognizer) isFace(p *face.Picture, c *candidate) (bool, error) {
	if r.landmarker == nil {
		return r.pointsPlausible(c.box, &c.points), nil
	}
	odds, looks := 0.0, secondLooks()
	for _, look := range looks {
		score, err := r.lookAgain(p, c.box, look.times, look.side)
		if err != nil {
			return false, err
		}
		score = min(max(score, faintest), surest)
		odds += math.Log(score/(1-score)) / float64(len(looks))
	}
	if c.box.Height() < tinyFace {
		return odds >= leastTiny, nil
	}
	shift, err := r.shift(p, c.box)
	return odds-2*math.Log(shift+leastShift) >= leastSecond, err
}

// lookAgain is the detector's best score for a box in a square of its surroundings; 0 for none. What lies beside the
// picture has the colour of its edge.
func (r *Recognizer) lookAgain(p *face.Picture, box face.PixelBox, times, side int) (float64, error) {
	around := float64(box.Height()) * float64(times)
	scale := around / float64(side)
	cx, cy := float64(box.X0+box.X1)/2, float64(box.Y0+box.Y1)/2
	m := raster.Affine{
		XX: scale, X0: cx - around/2 + scale/2 - 0.5, YY: scale, Y0: cy - around/2 + scale/2 - 0.5,
	}
	view := face.Picture{Width: side, Height: side, Layout: face.RGB, Strides: [3]int{3 * side}}
	view.Planes[0] = make([]byte, 3*side*side)
	r.warper.Warp(&view, p, m, raster.Replicate)
	if err := r.detector.collectAbove(&view, 0, faintest); err != nil {
		return 0, err
	}
	middle, w, h := float32(side)/2, box.Width()/float32(2*scale), box.Height()/float32(2*scale)
	want := face.PixelBox{X0: middle - w, X1: middle + w, Y0: middle - h, Y1: middle + h}
	best := 0.0
	for _, f := range r.detector.found {
		if overlap(f.box, want) > secondOverlap {
			best = max(best, float64(f.score))
		}
	}
	return best, nil
}

// The points of a detector that gives five are held against the template instead, turned and scaled onto it. A face in
// full profile deviates by about 0.3 of the template's spread.
const maxPointsResidual = 0.5

// pointsPlausible says whether five points can be those of the face in a box: they lie in and around it, the right way
// up, and not all askew.
func (r *Recognizer) pointsPlausible(box face.PixelBox, points *[5]face.Point) bool {
	s, ok := fit(points[:], r.template[:])
	if !ok {
		return false
	}
	var residual, spread float64
	middle := centroid(r.template[:])
	for i, p := range points {
		margin := box.Height() / 4
		if p.X < box.X0-margin || p.X > box.X1+margin || p.Y < box.Y0-margin || p.Y > box.Y1+margin {
			return false
		}
		x, y := s.apply(p)
		t := r.template[i]
		residual += sqr(x-float64(t.X)) + sqr(y-float64(t.Y))
		spread += sqr(float64(t.X)-middle[0]) + sqr(float64(t.Y)-middle[1])
	}
	return math.Sqrt(residual/spread) <= maxPointsResidual
}

func sqr(v float64) float64 { return v * v }
