package recognizer

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// shape68 is the 68 points of the iBUG 300-W scheme, in pixels of a picture: the jaw 0-16, brows 17-26, nose 27-35, eyes
// 36-47, mouth 48-67, each from the viewer's left.
type shape68 [68]face.Point

// five are the points that alignment needs: the eyes' middles without their corners, the nose's tip, the mouth's
// corners as the mean of the outer and the inner lip.
func (s *shape68) five() [5]face.Point {
	return [5]face.Point{
		s.mean(37, 38, 40, 41), s.mean(43, 44, 46, 47), s[30], s.mean(48, 60), s.mean(54, 64),
	}
}

func (s *shape68) mean(indices ...int) face.Point {
	var m face.Point
	for _, i := range indices {
		m.X += s[i].X
		m.Y += s[i].Y
	}
	n := float32(len(indices))
	return face.Point{X: m.X / n, Y: m.Y / n}
}

// landmarker finds the 68 points of a face. It belongs to one goroutine.
type landmarker struct {
	run     *onnx.Run
	session *onnx.Session
	filler  *raster.Filler
	warper  *raster.Warper
	side    int
	pixels  []byte
}

func newLandmarker(library *onnx.Library, pack *Pack) (*landmarker, error) {
	spec := pack.manifest.Landmarks
	session, err := library.NewSession(pack.content[spec.File], spec.Input.Name, spec.Output)
	if err != nil {
		return nil, fmt.Errorf("landmarks %s: %w", spec.File, err)
	}
	side := spec.Input.Width
	run, err := session.For(onnx.Shape{1, 1, int64(side), int64(side)})
	if err == nil {
		err = run.Do() // on zeros, to see what it gives
	}
	if err == nil && len(run.Output(0)) != 2*68 {
		err = fmt.Errorf("the model gives %d numbers instead of 68 points", len(run.Output(0)))
	}
	if err != nil {
		return nil, closeAll(func() error { return fmt.Errorf("landmarks %s: %w", spec.File, err) }, session.Close)
	}
	return &landmarker{
		run: run, session: session, filler: raster.NewFiller(spec.Input.normal()), warper: raster.NewWarper(),
		side: side, pixels: make([]byte, side*side),
	}, nil
}

// find writes the points of the face in a box, in pixels of the picture.
func (l *landmarker) find(p *face.Picture, box face.PixelBox, to *shape68) error {
	square := box.Square()
	scale := float64(square.Height()) / float64(l.side)
	// The crop's pixel i covers the square from i to i+1 parts; indices are half a pixel less than coordinates.
	m := raster.Affine{
		XX: scale, X0: float64(square.X0) + scale/2 - 0.5, YY: scale, Y0: float64(square.Y0) + scale/2 - 0.5,
	}
	l.warper.Grey(l.pixels, l.side, p, m)
	l.filler.Grey(l.run.Input(), l.pixels)
	if err := l.run.Do(); err != nil {
		return fmt.Errorf("find landmarks: %w", err)
	}
	side := square.Height()
	for i := range to {
		out := l.run.Output(0)[2*i : 2*i+2]
		to[i] = face.Point{X: square.X0 + out[0]*side, Y: square.Y0 + out[1]*side}
	}
	return nil
}

func (l *landmarker) close() error { return l.session.Close() }
