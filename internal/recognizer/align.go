package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// similarity is a rotation, uniform scaling and translation: (x, y) -> (a x - b y + tx, b x + a y + ty).
type similarity struct{ a, b, tx, ty float64 }

// fit is the similarity that takes from nearest to to in the sense of least squares (Umeyama 1991; in the plane, without
// reflection, it has this closed form). ok is false where the points of from all coincide.
func fit(from, to []face.Point) (s similarity, ok bool) {
	mf, mt := centroid(from), centroid(to)
	var dot, cross, spread float64
	for i, p := range from {
		px, py := float64(p.X)-mf[0], float64(p.Y)-mf[1]
		qx, qy := float64(to[i].X)-mt[0], float64(to[i].Y)-mt[1]
		dot += px*qx + py*qy
		cross += px*qy - py*qx
		spread += px*px + py*py
	}
	if !(spread > 0) || math.IsInf(spread, 0) || math.IsNaN(dot) || math.IsNaN(cross) {
		return similarity{}, false
	}
	s.a, s.b = dot/spread, cross/spread
	s.tx, s.ty = mt[0]-s.a*mf[0]+s.b*mf[1], mt[1]-s.b*mf[0]-s.a*mf[1]
	return s, s.a*s.a+s.b*s.b > 0
}

func centroid(points []face.Point) [2]float64 {
	var m [2]float64
	for _, p := range points {
		m[0] += float64(p.X)
		m[1] += float64(p.Y)
	}
	n := float64(len(points))
	return [2]float64{m[0] / n, m[1] / n}
}

// apply is where the similarity takes a point.
func (s similarity) apply(p face.Point) (x, y float64) {
	px, py := float64(p.X), float64(p.Y)
	return s.a*px - s.b*py + s.tx, s.b*px + s.a*py + s.ty
}

// inverse is the way back, as the map from a crop to its picture.
func (s similarity) inverse() raster.Affine {
	n := s.a*s.a + s.b*s.b
	a, b := s.a/n, s.b/n
	return raster.Affine{
		XX: a, XY: b, X0: -a*s.tx - b*s.ty,
		YX: -b, YY: a, Y0: b*s.tx - a*s.ty,
	}
}

// alignment is the map from the embedder's crop to a picture in which the landmarks lie, both in pixel indices.
func (r *Recognizer) alignment(p *face.Picture, l *face.Landmarks) (raster.Affine, bool) {
	var points [5]face.Point
	for i, q := range l {
		points[i] = face.Point{X: q.X*float32(p.Width) - 0.5, Y: q.Y*float32(p.Height) - 0.5}
	}
	s, ok := fit(points[:], r.template[:])
	return s.inverse(), ok
}

// Align cuts the detected face out of the picture, turned and scaled so that its landmarks lie on the embedder's
// template as well as a similarity can put them. What lies beside the picture is black, as is all of the crop of a
// detection whose landmarks coincide. p must pass Check.
func (r *Recognizer) Align(p *face.Picture, d *face.Detection, dst *face.Crop) {
	m, ok := r.alignment(p, &d.Landmarks)
	if !ok {
		clear(dst[:])
		return
	}
	r.cropView.Planes[0] = dst[:]
	r.warper.Warp(&r.cropView, p, m, raster.Black)
	r.cropView.Planes[0] = nil
}
