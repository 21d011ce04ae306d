package recognizer

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

// strides are the grids of SCRFD and YuNet: pixels from cell to cell.
func strides() [3]int { return [3]int{8, 16, 32} }

// scrfd decodes SCRFD models with points (as insightface exports them): per cell two anchors at the cell's first pixel;
// a box is four distances from the anchor to its left, top, right and bottom edge and a point two offsets, all in
// strides. Scores are 0..1 already.
type scrfd struct{ names []string }

// scrfdAnchors is how many anchors a cell has.
const scrfdAnchors = 2

func newSCRFD(spec *DetectorSpec) *scrfd {
	s := &scrfd{}
	for i := range spec.Scores {
		s.names = append(s.names, spec.Scores[i], spec.Boxes[i], spec.Points[i])
	}
	return s
}

func (s *scrfd) outputs() []string { return s.names }

func (s *scrfd) decode(run *onnx.Run, width, height int, minScore float32, to []candidate) ([]candidate, error) {
	for level, stride := range strides() {
		scores, boxes, points := run.Output(3*level), run.Output(3*level+1), run.Output(3*level+2)
		columns, rows := cells(width, stride), cells(height, stride)
		anchors := columns * rows * scrfdAnchors
		if len(scores) != anchors || len(boxes) != 4*anchors || len(points) != 10*anchors {
			return nil, fmt.Errorf("the model gives %d scores, %d distances and %d offsets for %d anchors of stride %d",
				len(scores), len(boxes), len(points), anchors, stride)
		}
		size := float32(stride)
		for i, score := range scores {
			if !(score >= minScore) {
				continue
			}
			cell := i / scrfdAnchors
			x, y := float32(cell%columns)*size, float32(cell/columns)*size
			b := boxes[4*i : 4*i+4]
			c := candidate{score: score, box: face.PixelBox{
				X0: x - b[0]*size, Y0: y - b[1]*size, X1: x + b[2]*size, Y1: y + b[3]*size,
			}}
			for k := range c.points {
				c.points[k] = face.Point{X: x + points[10*i+2*k]*size, Y: y + points[10*i+2*k+1]*size}
			}
			to = append(to, c)
		}
	}
	return to, nil
}
