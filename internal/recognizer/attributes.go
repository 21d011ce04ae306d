package recognizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// attributer tells what faces look like. Its models are loaded by their first use, each where the pack has it, so that
// a search never pays for them.
type attributer struct {
	loaded      bool
	ageGender   *look
	expressions *look
	eyes        *look
}

// ErrNoFace is a detection that cannot be one of its picture.
var ErrNoFace = errors.New("the detection's box is not in the picture")

// Attributes tells what a detected face looks like, as far as the pack's models say; members that they do not are nil.
// The detection is one of this picture. Nothing of the result is kept. The first call loads the models.
//
// How good these figures are is measured in docs/decisions/0003-default-pack.md. In short, of the default pack:
//
//   - Age: four in five true ages lie in the range. It comes from the model's mean error at that age.
//   - Gender: what a face looks like to the model. It takes women for men more often (9 %) than men for women (1 %).
//   - Emotions: what a face shows, not what somebody feels. HAPPY, CALM, and strong ANGRY, SAD and SURPRISED are
//     reliable; FEAR and DISGUSTED are seldom seen and often wrong.
//   - Smile: from the model's HAPPY. EyesOpen: a model that looks at each eye; sunglasses are closed eyes to it.
//   - MouthOpen: from the inner lips among the 68 points.
//
// Further are those of Rekognition's further landmarks that the 68 points hold: all but the pupils, which no point marks.
func (r *Recognizer) Attributes(ctx context.Context, p *face.Picture, d *face.Detection) (*face.Attributes, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("tell a face's attributes: %w", err)
	}
	if !within(d.Box) {
		return nil, fmt.Errorf("tell a face's attributes: %w", ErrNoFace)
	}
	a, err := r.attributes(p, d)
	if err != nil {
		return nil, fmt.Errorf("tell a face's attributes: %w", err)
	}
	return a, nil
}

// within says whether a box has an extent, overlaps its picture, and is not larger than what a face cut off can have.
func within(b face.Box) bool {
	const most = 10 // pictures: a face of which an eye is seen has some three
	return b.Finite() && b.Width > 0 && b.Height > 0 && b.Width <= most && b.Height <= most &&
		b.Left < 1 && b.Top < 1 && b.Right() > 0 && b.Bottom() > 0
}

func (r *Recognizer) attributes(p *face.Picture, d *face.Detection) (*face.Attributes, error) {
	if err := r.loadAttributes(); err != nil {
		return nil, err
	}
	a := &face.Attributes{}
	box := d.Box.Pixels(p.Width, p.Height)
	if err := r.tellAgeGender(p, box, d.Pose.Roll, a); err != nil {
		return nil, err
	}
	if err := r.tellExpressions(p, box, d.Pose.Roll, a); err != nil {
		return nil, err
	}
	if r.landmarker == nil {
		return a, nil
	}
	if err := r.landmarker.find(p, box, &r.shape); err != nil {
		return nil, err
	}
	a.Further = r.shape.further(p.Width, p.Height)
	a.MouthOpen = r.shape.mouthOpen()
	return a, r.tellEyes(p, a)
}

// loadAttributes loads the models that the pack has.
func (r *Recognizer) loadAttributes() error {
	spec, a := r.pack.manifest.Attributes, &r.attributer
	if a.loaded || spec == nil {
		return nil
	}
	var err error
	if s := spec.AgeGender; s != nil && a.ageGender == nil {
		if a.ageGender, err = newLook(r.library, r.pack, &s.LookSpec, []string{s.Age, s.Gender}, []int{1, 2}); err != nil {
			return err
		}
	}
	if s := spec.Expressions; s != nil && a.expressions == nil {
		sizes := []int{len(s.Emotions)}
		if a.expressions, err = newLook(r.library, r.pack, &s.LookSpec, []string{s.Output}, sizes); err != nil {
			return err
		}
	}
	if s := spec.Eyes; s != nil && a.eyes == nil {
		if a.eyes, err = newLook(r.library, r.pack, &s.LookSpec, []string{s.Output}, []int{2}); err != nil {
			return err
		}
	}
	a.loaded = true
	return nil
}

func (a *attributer) close() error {
	var err error
	for _, l := range [...]*look{a.ageGender, a.expressions, a.eyes} {
		if l != nil {
			err = errors.Join(err, l.close())
		}
	}
	return err
}

func (r *Recognizer) tellAgeGender(p *face.Picture, box face.PixelBox, roll float32, to *face.Attributes) error {
	l := r.attributer.ageGender
	if l == nil {
		return nil
	}
	if err := l.at(p, l.around(box, roll)); err != nil {
		return err
	}
	spec := r.pack.manifest.Attributes.AgeGender
	to.Age = ageRange(float64(l.run.Output(0)[0]), spec.AgeErrors)
	male := softmax(l.run.Output(1), spec.Temperature)[0]
	to.Gender = &face.Gender{Female: male < 0.5, Confidence: float32(100 * max(male, 1-male))}
	return nil
}

// around is the square that the model wants to see of a face in a box, in pixels.
func (l *look) around(box face.PixelBox, roll float32) square {
	return square{
		x: float64(box.X0+box.X1) / 2, y: float64(box.Y0+box.Y1) / 2,
		side: float64(l.spec.Side) * float64(box.Height()), roll: float64(roll),
	}
}

// ageSpread is how many mean absolute errors the range of ages reaches to either side. Where errors are normally
// distributed it holds 80 % of the true ages: 1.2816 standard deviations of 1.2533 mean absolute errors each.
const ageSpread = 1.2816 * 1.2533

func ageRange(age float64, errs []AgeErrorSpec) *face.AgeRange {
	age = min(max(age, 0), maxAge)
	spread := 0.0
	for _, e := range errs {
		if age >= float64(e.From) {
			spread = ageSpread * float64(e.Years)
		}
	}
	return &face.AgeRange{
		Low: int(math.Round(max(age-spread, 0))), High: int(math.Round(min(age+spread, maxAge))),
	}
}

func (r *Recognizer) tellExpressions(p *face.Picture, box face.PixelBox, roll float32, to *face.Attributes) error {
	l := r.attributer.expressions
	if l == nil {
		return nil
	}
	if err := l.after(r.attributer.ageGender, p, l.around(box, roll)); err != nil {
		return err
	}
	spec, raw := r.pack.manifest.Attributes.Expressions, l.run.Output(0)
	for i, probability := range softmax(raw, spec.Temperature) {
		to.Emotions = append(to.Emotions, face.Emotion{Type: spec.Emotions[i], Confidence: float32(100 * probability)})
	}
	slices.SortStableFunc(to.Emotions, func(a, b face.Emotion) int { return cmp.Compare(b.Confidence, a.Confidence) })
	if happy := slices.Index(spec.Emotions, face.Happy); happy >= 0 {
		to.Smile = traitOf(odds(raw, happy) - float64(spec.SmileOdds))
	}
	return nil
}

// tellEyes shows the model both eyes of r.shape. On a face turned aside the nearer eye, which is the wider one, counts
// more.
func (r *Recognizer) tellEyes(p *face.Picture, to *face.Attributes) error {
	l := r.attributer.eyes
	if l == nil {
		return nil
	}
	spec := r.pack.manifest.Attributes.Eyes
	var open, widths float64
	for _, first := range [2]int{36, 42} {
		s, width := r.shape.eye(first)
		if !(width > 0) {
			return nil
		}
		s.side = width * float64(spec.Side)
		if err := l.at(p, s); err != nil {
			return err
		}
		raw := l.run.Output(0)
		open += width * float64(raw[1]-raw[0])
		widths += width
	}
	to.EyesOpen = traitOf((open/widths + float64(spec.ClosedOdds)) / float64(spec.Temperature))
	return nil
}
