package recognizer

import (
	"errors"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// AttributesSpec says which models tell what a face looks like. Each may be missing; what no model tells is not told.
type AttributesSpec struct {
	AgeGender   *AgeGenderSpec   `json:"ageGender,omitempty"`
	Expressions *ExpressionsSpec `json:"expressions,omitempty"`
	// Eyes needs a landmarks model: the 68 points say where the eyes are.
	Eyes *EyesSpec `json:"eyes,omitempty"`
}

// LookSpec says which model looks at a face, and at what of it: a square, turned upright, drawn to the square that Input
// says.
type LookSpec struct {
	Kind  string    `json:"kind"`
	File  string    `json:"file"`
	Input InputSpec `json:"input"`
	// Side is the square's side in heights of the face's box, or widths of the eye, 0.5..3.
	Side float32 `json:"side"`
	// Temperature divides the model's raw figures before they become probabilities. Above 1 makes it less sure of itself,
	// and is there for models that are surer than they are right.
	Temperature float32 `json:"temperature"`
	// Source says what Temperature, and what else the manifest claims about the model's figures, rests on.
	Source string `json:"source"`
}

// AgeGenderSpec is of the one kind "age-gender": the output Age has one number, years; Gender two raw figures, male and
// female.
type AgeGenderSpec struct {
	LookSpec

	Age    string `json:"age"`
	Gender string `json:"gender"`
	// AgeErrors say how far the age is off on average, by the age that the model gives, in ascending order from 0.
	AgeErrors []AgeErrorSpec `json:"ageErrors"`
}

// AgeErrorSpec is the mean absolute error of ages from From years on, in years.
type AgeErrorSpec struct {
	From  float32 `json:"from"`
	Years float32 `json:"years"`
}

// ExpressionsSpec is of the one kind "expressions": Output has a raw figure for each of Emotions.
type ExpressionsSpec struct {
	LookSpec

	Output   string             `json:"output"`
	Emotions []face.EmotionType `json:"emotions"`
	// SmileOdds are the logarithm of the odds of HAPPY, before any temperature, at which as many faces smile as do not.
	SmileOdds float32 `json:"smileOdds"`
}

// EyesSpec is of the one kind "eye-state": shown one eye, Output has two raw figures, closed and open.
type EyesSpec struct {
	LookSpec

	Output string `json:"output"`
	// ClosedOdds are how far closed exceeds open where as many eyes are closed as are not.
	ClosedOdds float32 `json:"closedOdds"`
}

// maxAge bounds ages and their errors, in years: nobody has become older than 122.
const maxAge = 122

func (m *Manifest) inAttributes() error {
	var errs []error
	if s := m.Attributes.AgeGender; s != nil {
		errs = append(errs, m.inLook("age and gender", kindAgeGender, true, &s.LookSpec),
			outputs("age and gender", []string{s.Age, s.Gender}, 2), checkAgeErrors(s.AgeErrors))
	}
	if s := m.Attributes.Expressions; s != nil {
		errs = append(errs, m.inLook("expressions", kindExpressions, true, &s.LookSpec),
			outputs("expressions", []string{s.Output}, 1), checkEmotions(s.Emotions),
			must(number(s.SmileOdds), "expressions: smileOdds %v are no number", s.SmileOdds))
	}
	if s := m.Attributes.Eyes; s != nil {
		errs = append(errs, m.inLook("eyes", kindEyeState, false, &s.LookSpec), outputs("eyes", []string{s.Output}, 1),
			must(number(s.ClosedOdds), "eyes: closedOdds %v are no number", s.ClosedOdds),
			must(m.Landmarks != nil, "eyes: the pack has no landmarks model to find them with"))
	}
	return errors.Join(errs...)
}

func (m *Manifest) inLook(use, kind string, coloured bool, s *LookSpec) error {
	const most = 512 // pixels, as for landmarks
	return errors.Join(
		must(s.Kind == kind, "%s: kind %q is not %q", use, s.Kind, kind),
		m.checkFile(use, s.File),
		s.Input.check(use, coloured),
		must(s.Input.Width > 0 && s.Input.Width <= most && s.Input.Width == s.Input.Height,
			"%s: an input of %d x %d is not a square of at most %d", use, s.Input.Width, s.Input.Height, most),
		must(s.Side >= 0.5 && s.Side <= 3, "%s: side %v is not between 0.5 and 3", use, s.Side),
		must(s.Temperature >= 0.1 && s.Temperature <= 100, "%s: temperature %v is not between 0.1 and 100", use, s.Temperature),
		text(use+" source", s.Source),
	)
}

func checkAgeErrors(e []AgeErrorSpec) error {
	if len(e) == 0 || len(e) > maxAge || e[0].From != 0 {
		return errors.New("age and gender: ageErrors do not begin with age 0")
	}
	for i, a := range e {
		ascends := i == 0 || a.From > e[i-1].From
		if !ascends || !(a.From <= maxAge) || !(a.Years >= 0 && a.Years <= maxAge) {
			return errors.New("age and gender: ageErrors do not ascend, or are no years")
		}
	}
	return nil
}

func checkEmotions(emotions []face.EmotionType) error {
	known := []face.EmotionType{face.Happy, face.Sad, face.Angry, face.Disgusted, face.Surprised, face.Calm, face.Fear}
	for i, e := range emotions {
		if !slices.Contains(known, e) || slices.Contains(emotions[:i], e) {
			return must(false, "expressions: emotion %q is not known, or there twice", e)
		}
	}
	return must(len(emotions) >= 2, "expressions: %d emotions are too few", len(emotions))
}
