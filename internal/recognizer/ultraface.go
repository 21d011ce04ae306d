package recognizer

import (
	"fmt"
	"math"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

// ultraFace decodes Ultra-Light-Fast-Generic-Face-Detector models whose boxes come as offsets from priors. A cell of
// each of four grids has two or three priors, squares of the sizes below, centred on the cell.
type ultraFace struct{ scores, boxes string }

// The grids of UltraFace (vision/ssd/config/fd_config.py of that project): pixels from cell to cell, the priors' sides,
// and the variances that offsets are multiplied with.
const (
	ultraCenterVariance = 0.1
	ultraSizeVariance   = 0.2
)

type ultraGrid struct {
	stride int
	sides  []float32
}

func ultraGrids() [4]ultraGrid {
	return [4]ultraGrid{{8, []float32{10, 16, 24}}, {16, []float32{32, 48}}, {32, []float32{64, 96}}, {64, []float32{128, 192, 256}}}
}

func newUltraFace(spec *DetectorSpec) *ultraFace {
	return &ultraFace{scores: spec.Scores[0], boxes: spec.Boxes[0]}
}

func (u *ultraFace) outputs() []string { return []string{u.scores, u.boxes} }

func (u *ultraFace) decode(run *onnx.Run, width, height int, minScore float32, to []candidate) ([]candidate, error) {
	scores, offsets := run.Output(0), run.Output(1)
	grids := ultraGrids()
	priors := 0
	for _, g := range grids {
		priors += cells(width, g.stride) * cells(height, g.stride) * len(g.sides)
	}
	if len(scores) != 2*priors || len(offsets) != 4*priors {
		return nil, fmt.Errorf("the model gives %d scores and %d offsets for %d priors", len(scores), len(offsets), priors)
	}
	i := 0
	for _, g := range grids {
		columns, rows := cells(width, g.stride), cells(height, g.stride)
		for row := range rows {
			for column := range columns {
				for _, side := range g.sides {
					if score := scores[2*i+1]; score >= minScore {
						// The grid's cells share the side evenly, which is not the stride where that does not divide it.
						x := (float32(column) + 0.5) / float32(columns) * float32(width)
						y := (float32(row) + 0.5) / float32(rows) * float32(height)
						w, h := min(side, float32(width)), min(side, float32(height))
						to = append(to, candidate{score: score, box: ultraBox(x, y, w, h, offsets[4*i:4*i+4])})
					}
					i++
				}
			}
		}
	}
	return to, nil
}

func ultraBox(x, y, w, h float32, offset []float32) face.PixelBox {
	x += offset[0] * ultraCenterVariance * w
	y += offset[1] * ultraCenterVariance * h
	w *= exp(offset[2] * ultraSizeVariance)
	h *= exp(offset[3] * ultraSizeVariance)
	return face.PixelBox{X0: x - w/2, Y0: y - h/2, X1: x + w/2, Y1: y + h/2}
}

func cells(side, stride int) int { return (side + stride - 1) / stride }

func exp(v float32) float32 { return float32(math.Exp(float64(v))) }
