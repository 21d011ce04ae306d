package recognizer

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

// withAttributes is a manifest that says everything it may about attributes, ready to be spoilt.
func withAttributes() *Manifest {
	m := valid()
	m.Landmarks, m.Attributes = landmarks68(16, 16), attributesSpec()
	a := m.Attributes
	for _, s := range []*LookSpec{&a.AgeGender.LookSpec, &a.Expressions.LookSpec, &a.Eyes.LookSpec} {
		s.File = "d.onnx"
	}
	return m
}

func TestManifestWithAttributesIsReadAsWritten(t *testing.T) {
	t.Parallel()
	document, err := withAttributes().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest(document)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.Bytes()
	if err != nil || string(again) != string(document) {
		t.Errorf("written again it is %s, %v", again, err)
	}
	if old, err := valid().Bytes(); err != nil || strings.Contains(string(old), "attributes") {
		t.Errorf("a manifest without attributes speaks of them: %s, %v", old, err)
	}
	unknown := strings.Replace(string(document), `"smileOdds"`, `"frownOdds"`, 1)
	if _, err := ParseManifest([]byte(unknown)); err == nil || !strings.Contains(err.Error(), "frownOdds") {
		t.Errorf("an unknown field: %v", err)
	}
}

func TestManifestRefusesAttributes(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*AttributesSpec, *Manifest){
		"another kind":            func(a *AttributesSpec, _ *Manifest) { a.AgeGender.Kind = "expressions" },
		"a model that is no file": func(a *AttributesSpec, _ *Manifest) { a.Expressions.File = "x.onnx" },
		"grey for a coloured one": func(a *AttributesSpec, _ *Manifest) { a.AgeGender.Input.Colours = "grey" },
		"colours for a grey one":  func(a *AttributesSpec, _ *Manifest) { a.Eyes.Input.Colours = "RGB" },
		"no square":               func(a *AttributesSpec, _ *Manifest) { a.AgeGender.Input.Width = 9 },
		"an enormous square":      func(a *AttributesSpec, _ *Manifest) { a.Eyes.Input.Width, a.Eyes.Input.Height = 4000, 4000 },
		"no size":                 func(a *AttributesSpec, _ *Manifest) { a.Eyes.Input.Width, a.Eyes.Input.Height = 0, 0 },
		"a side of nothing":       func(a *AttributesSpec, _ *Manifest) { a.AgeGender.Side = 0 },
		"a temperature of zero":   func(a *AttributesSpec, _ *Manifest) { a.Expressions.Temperature = 0 },
		"no source":               func(a *AttributesSpec, _ *Manifest) { a.Eyes.Source = "" },
		"no output":               func(a *AttributesSpec, _ *Manifest) { a.AgeGender.Gender = "" },
		"no errors of ages":       func(a *AttributesSpec, _ *Manifest) { a.AgeGender.AgeErrors = nil },
		"errors from 20 on":       func(a *AttributesSpec, _ *Manifest) { a.AgeGender.AgeErrors = a.AgeGender.AgeErrors[1:] },
		"errors that descend":     func(a *AttributesSpec, _ *Manifest) { a.AgeGender.AgeErrors[1].From = 0 },
		"errors of 200 years":     func(a *AttributesSpec, _ *Manifest) { a.AgeGender.AgeErrors[0].Years = 200 },
		"an emotion twice":        func(a *AttributesSpec, _ *Manifest) { a.Expressions.Emotions[0] = face.Happy },
		"an unknown emotion":      func(a *AttributesSpec, _ *Manifest) { a.Expressions.Emotions[0] = "PROUD" },
		"one emotion":             func(a *AttributesSpec, _ *Manifest) { a.Expressions.Emotions = a.Expressions.Emotions[:1] },
		"odds out of this world":  func(a *AttributesSpec, _ *Manifest) { a.Expressions.SmileOdds = 1e9 },
		"eyes without landmarks":  func(_ *AttributesSpec, m *Manifest) { m.Landmarks = nil },
	} {
		m := withAttributes()
		spoil(m.Attributes, m)
		document, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(document); err == nil {
			t.Errorf("a manifest with %s was accepted", name)
		}
	}
	m := withAttributes()
	m.Attributes.AgeGender.AgeErrors[1].From = float32(math.NaN())
	if _, err := m.Bytes(); err == nil {
		t.Error("an age that is no number was accepted")
	}
}

func TestAgeRange(t *testing.T) {
	t.Parallel()
	errs := []AgeErrorSpec{{From: 0, Years: 1}, {From: 20, Years: 5}, {From: 80, Years: 10}}
	for age, want := range map[float64]face.AgeRange{
		-7: {Low: 0, High: 2}, 3: {Low: 1, High: 5}, 19.9: {Low: 18, High: 22}, 20: {Low: 12, High: 28}, 45.5: {Low: 37, High: 54},
		100: {Low: 84, High: 116}, 1e9: {Low: 106, High: 122},
	} {
		if got := ageRange(age, errs); *got != want {
			t.Errorf("%v years: %+v instead of %+v", age, *got, want)
		}
	}
}
