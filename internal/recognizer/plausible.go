package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
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
	shift := sum / float64(len(r.shape)) / float64(box.Height())
	s := min(max(float64(score), 1e-3), 1-1e-4)
	return scoreWeight*math.Log(s/(1-s)) - math.Log(shift+leastShift), nil
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
