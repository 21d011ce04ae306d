package recognizer

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// The kinds of models and the orders of colours that a manifest can name.
const (
	kindUltraFace   = "ultraface"
	kindSCRFD       = "scrfd"
	kindYuNet       = "yunet"
	kindPoints68    = "points68"
	kindArcFace     = "arcface"
	kindAgeGender   = "age-gender"
	kindExpressions = "expressions"
	kindEyeState    = "eye-state"

	coloursRGB  = "RGB"
	coloursBGR  = "BGR"
	coloursGrey = "grey"
)

// candidate is what a detector model says might be a face, in pixels of the picture it was given.
type candidate struct {
	box    face.PixelBox
	score  float32 // 0..1
	points [5]face.Point
}

// maxCandidates bounds what one picture may yield before overlaps are resolved: a model gone wild must not cost
// quadratic time. UltraFace gives a few dozen for a crowd.
const maxCandidates = 2000

// decoder turns the outputs of one kind of model into candidates.
type decoder interface {
	// outputs are the model's outputs that decode reads, in its order.
	outputs() []string
	// decode appends the candidates of an input of width x height pixels whose score is at least minScore. Candidates
	// are in pixels of the input.
	decode(run *onnx.Run, width, height int, minScore float32, to []candidate) ([]candidate, error)
}

// detector finds faces with one model. Its buffers are reused: it belongs to one goroutine.
type detector struct {
	spec    *DetectorSpec
	decoder decoder
	session *onnx.Session
	filler  *raster.Filler
	scaler  *raster.Scaler
	found   []candidate
}

func newDetector(library *onnx.Library, pack *Pack) (*detector, error) {
	spec := &pack.manifest.Detector
	d := &detector{spec: spec, filler: raster.NewFiller(spec.Input.normal()), scaler: raster.NewScaler()}
	switch spec.Kind {
	case kindUltraFace:
		d.decoder = newUltraFace(spec)
	case kindSCRFD:
		d.decoder = newSCRFD(spec)
	case kindYuNet:
		d.decoder = newYuNet(spec)
	default:
		return nil, fmt.Errorf("unknown detector kind %q", spec.Kind)
	}
	var err error
	d.session, err = library.NewSession(pack.content[spec.File], spec.Input.Name, d.decoder.outputs()...)
	if err != nil {
		return nil, fmt.Errorf("detector %s: %w", spec.File, err)
	}
	return d, nil
}

// normal is the input's scaling in raster's terms.
func (i *InputSpec) normal() raster.Normal {
	return raster.Normal{Mean: i.Mean, Scale: i.Scale, BGR: i.Colours == coloursBGR}
}

// stride is what the sides of a free input are padded to: the detectors' coarsest grids need 32 or, as UltraFace,
// round up by themselves.
const stride = 32

// collect adds the picture's candidates to those from index from on, in pixels of the picture.
func (d *detector) collect(p *face.Picture, from int) error {
	return d.collectAbove(p, from, d.spec.MinScore)
}

// collectAbove collects with another least score.
func (d *detector) collectAbove(p *face.Picture, from int, minScore float32) error {
	width, height, factor := (p.Width+stride-1)/stride*stride, (p.Height+stride-1)/stride*stride, float32(1)
	if w, h := d.spec.Input.Width, d.spec.Input.Height; w > 0 {
		width, height = w, h
		if p.Width > w || p.Height > h {
			// Integer arithmetic: the longer side in proportion fits exactly.
			sw, sh := w, max(p.Height*w/p.Width, 1)
			if sh > h {
				sw, sh = max(p.Width*h/p.Height, 1), h
			}
			factor = float32(p.Width) / float32(sw)
			scaled := d.scaler.Scale(p, sw, sh)
			p = &scaled
		}
	}
	run, err := d.session.For(onnx.Shape{1, 3, int64(height), int64(width)})
	if err != nil {
		return fmt.Errorf("detect faces: %w", err)
	}
	d.filler.Fill(run.Input(), width, height, p)
	if err = run.Do(); err != nil {
		return fmt.Errorf("detect faces: %w", err)
	}
	found, err := d.decoder.decode(run, width, height, minScore, d.found[:from])
	if err != nil {
		return fmt.Errorf("detect faces: %w", err)
	}
	d.found = slices.DeleteFunc(found, func(c candidate) bool { return !c.sound() })
	if factor != 1 {
		for i := range d.found[from:] {
			d.found[from+i].resize(factor, factor)
		}
	}
	return nil
}

// suppress drops every candidate that overlaps a better one, and sorts the rest, best first.
func (d *detector) suppress() []candidate {
	d.found = suppress(d.found, d.spec.MaxIoU)
	return d.found
}

func (d *detector) close() error { return d.session.Close() }

// suppress keeps, in place, the candidates that overlap no better one by more than maxIoU, best first.
func suppress(found []candidate, maxIoU float32) []candidate {
	slices.SortFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.box.Y0, b.box.Y0), cmp.Compare(a.box.X0, b.box.X0),
			cmp.Compare(a.box.Y1, b.box.Y1), cmp.Compare(a.box.X1, b.box.X1))
	})
	if len(found) > maxCandidates {
		found = found[:maxCandidates]
	}
	kept := found[:0]
	for _, c := range found {
		if !slices.ContainsFunc(kept, func(k candidate) bool { return overlap(k.box, c.box) > maxIoU }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// overlap is the intersection over union of two boxes in the same pixels.
func overlap(a, b face.PixelBox) float32 {
	return face.IoU(a.Ratios(1, 1), b.Ratios(1, 1))
}

// sound says whether a candidate can be computed with: a model fed something odd may say anything.
func (c *candidate) sound() bool {
	const far = 1 << 20 // pixels; far beyond any input
	for _, v := range [...]float32{c.box.X0, c.box.Y0, c.box.X1, c.box.Y1} {
		if !(v > -far && v < far) {
			return false
		}
	}
	for _, p := range c.points {
		if !(p.X > -far && p.X < far && p.Y > -far && p.Y < far) {
			return false
		}
	}
	return c.score <= 1 && c.box.X1-c.box.X0 >= 1 && c.box.Y1-c.box.Y0 >= 1
}

// move takes the candidate from a part of a picture to the picture, pixels.
func (c *candidate) move(x, y float32) {
	c.box = face.PixelBox{X0: c.box.X0 + x, Y0: c.box.Y0 + y, X1: c.box.X1 + x, Y1: c.box.Y1 + y}
	for i, p := range c.points {
		c.points[i] = face.Point{X: p.X + x, Y: p.Y + y}
	}
}

// resize takes the candidate to a picture so many times wider and higher.
func (c *candidate) resize(sx, sy float32) {
	c.box = face.PixelBox{X0: c.box.X0 * sx, Y0: c.box.Y0 * sy, X1: c.box.X1 * sx, Y1: c.box.Y1 * sy}
	for i, p := range c.points {
		c.points[i] = face.Point{X: p.X * sx, Y: p.Y * sy}
	}
}
