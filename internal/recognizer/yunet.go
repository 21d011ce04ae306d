package recognizer

import (
	"fmt"
	"math"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

// yuNet decodes YuNet models (libfacedetection, as OpenCV's FaceDetectorYN reads them): one anchor a cell, at the cell's
// first pixel; a box is the offset of its centre and the logarithms of its sides, all in strides; points are offsets in
// strides. The score is the geometric mean of the class and the object output.
type yuNet struct{ names []string }

func newYuNet(spec *DetectorSpec) *yuNet {
	y := &yuNet{}
	for i := range spec.Scores {
		y.names = append(y.names, spec.Scores[i], spec.Objects[i], spec.Boxes[i], spec.Points[i])
	}
	return y
}

func (y *yuNet) outputs() []string { return y.names }

func (y *yuNet) decode(run *onnx.Run, width, height int, minScore float32, to []candidate) ([]candidate, error) {
	for level, stride := range strides() {
		classes, objects := run.Output(4*level), run.Output(4*level+1)
		boxes, points := run.Output(4*level+2), run.Output(4*level+3)
		columns, rows := cells(width, stride), cells(height, stride)
		anchors := columns * rows
		if len(classes) != anchors || len(objects) != anchors || len(boxes) != 4*anchors || len(points) != 10*anchors {
			return nil, fmt.Errorf("the model gives %d classes, %d objects, %d boxes and %d points for %d cells of stride %d",
				len(classes), len(objects), len(boxes)/4, len(points)/10, anchors, stride)
		}
		size := float32(stride)
		for i := range anchors {
			score := yuNetScore(classes[i], objects[i])
			if !(score >= minScore) {
				continue
			}
			column, row := float32(i%columns), float32(i/columns)
			b := boxes[4*i : 4*i+4]
			x, y := (column+b[0])*size, (row+b[1])*size
			w, h := exp(b[2])*size, exp(b[3])*size
			c := candidate{score: score, box: face.PixelBox{X0: x - w/2, Y0: y - h/2, X1: x + w/2, Y1: y + h/2}}
			for k := range c.points {
				c.points[k] = face.Point{X: (column + points[10*i+2*k]) * size, Y: (row + points[10*i+2*k+1]) * size}
			}
			to = append(to, c)
		}
	}
	return to, nil
}

func yuNetScore(class, object float32) float32 {
	class, object = min(max(class, 0), 1), min(max(object, 0), 1)
	return float32(math.Sqrt(float64(class * object)))
}
