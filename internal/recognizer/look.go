package recognizer

import (
	"errors"
	"fmt"
	"math"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// look is a model that looks at a square of a picture and says figures about it. It belongs to one goroutine.
type look struct {
	spec    *LookSpec
	outputs int // how many
	session *onnx.Session
	run     *onnx.Run
	filler  *raster.Filler
	warper  *raster.Warper
	side    int    // of the input, in pixels
	pixels  []byte // the square's, interleaved RGB or grey
}

// newLook loads a model whose outputs have as many numbers as sizes say.
func newLook(library *onnx.Library, pack *Pack, spec *LookSpec, outputs []string, sizes []int) (*look, error) {
	session, err := library.NewSession(pack.content[spec.File], spec.Input.Name, outputs...)
	if err != nil {
		return nil, fmt.Errorf("%s model %s: %w", spec.Kind, spec.File, err)
	}
	channels, side := 3, spec.Input.Width
	if spec.Input.Colours == coloursGrey {
		channels = 1
	}
	run, err := session.For(onnx.Shape{1, int64(channels), int64(side), int64(side)})
	if err == nil {
		err = run.Do() // on zeros, to see what it gives
	}
	if err == nil {
		err = checkSizes(run, outputs, sizes)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s model %s: %w", spec.Kind, spec.File, err), session.Close())
	}
	return &look{
		spec: spec, outputs: len(outputs), session: session, run: run, filler: raster.NewFiller(spec.Input.normal()),
		warper: raster.NewWarper(), side: side, pixels: make([]byte, channels*side*side),
	}, nil
}

func checkSizes(run *onnx.Run, outputs []string, sizes []int) error {
	for i, size := range sizes {
		if n := len(run.Output(i)); n != size {
			return fmt.Errorf("output %q has %d numbers instead of %d", outputs[i], n, size)
		}
	}
	return nil
}

// at shows the model the square of the picture that s says.
func (l *look) at(p *face.Picture, s square) error {
	l.draw(p, s)
	return l.say()
}

// after shows the model the same square as another one has just been shown, if there is such another one. Drawing a
// square costs as much as a small model.
func (l *look) after(other *look, p *face.Picture, s square) error {
	if other != nil && l.sees(other) {
		copy(l.run.Input(), other.run.Input())
		return l.say()
	}
	return l.at(p, s)
}

// sees says whether two models want to be shown the same.
func (l *look) sees(other *look) bool {
	mine, theirs := l.spec.Input, other.spec.Input
	mine.Name = theirs.Name
	return mine == theirs && l.spec.Side == other.spec.Side
}

// draw fills the model's input. Beside the picture, colours are black and greys those of the picture's edge.
func (l *look) draw(p *face.Picture, s square) {
	m := s.to(l.side)
	if l.spec.Input.Colours == coloursGrey {
		l.warper.Grey(l.pixels, l.side, p, m)
		l.filler.Grey(l.run.Input(), l.pixels)
		return
	}
	crop := face.Picture{
		Width: l.side, Height: l.side, Layout: face.RGB, Planes: [3][]byte{l.pixels}, Strides: [3]int{3 * l.side},
	}
	l.warper.Warp(&crop, p, m, raster.Black)
	l.filler.Fill(l.run.Input(), l.side, l.side, &crop)
}

// say runs the model on its input.
func (l *look) say() error {
	if err := l.run.Do(); err != nil {
		return fmt.Errorf("%s model: %w", l.spec.Kind, err)
	}
	for i := range l.outputs {
		for _, v := range l.run.Output(i) {
			if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
				return fmt.Errorf("%s model: it says %v", l.spec.Kind, v)
			}
		}
	}
	return nil
}

func (l *look) close() error { return l.session.Close() }

// square is a part of a picture: its middle and side in pixels, and by how many degrees it is turned clockwise.
type square struct{ x, y, side, roll float64 }

// to is the map from a crop of n x n pixels to the square.
func (s square) to(n int) raster.Affine {
	scale := s.side / float64(n)
	sin, cos := math.Sincos(s.roll * math.Pi / 180)
	// The crop's pixel i covers the part from i to i+1 of n; indices are half a pixel less than coordinates.
	middle := float64(n-1) / 2
	return raster.Affine{
		XX: scale * cos, XY: -scale * sin, X0: s.x - 0.5 - scale*(cos-sin)*middle,
		YX: scale * sin, YY: scale * cos, Y0: s.y - 0.5 - scale*(sin+cos)*middle,
	}
}

// softmax makes probabilities of raw figures over a temperature, in their order.
func softmax(raw []float32, temperature float32) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range raw {
		top = max(top, float64(v))
	}
	out := make([]float64, len(raw))
	for i, v := range raw {
		out[i] = math.Exp((float64(v) - top) / float64(temperature))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// odds are the logarithm of the odds of raw figure i against all others together.
func odds(raw []float32, i int) float64 {
	top, sum := math.Inf(-1), 0.0
	for j, v := range raw {
		if j != i {
			top = max(top, float64(v))
		}
	}
	for j, v := range raw {
		if j != i {
			sum += math.Exp(float64(v) - top)
		}
	}
	return float64(raw[i]) - top - math.Log(sum)
}

// traitOf is a trait by the logarithm of its odds: how far a figure lies above the threshold, in units of its spread.
func traitOf(odds float64) *face.Trait {
	sure := 1 / (1 + math.Exp(-math.Abs(odds)))
	return &face.Trait{Value: odds > 0, Confidence: float32(100 * sure)}
}
