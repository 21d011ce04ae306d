package recognizer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnxgraph"
)

// greyHead is a model that says for a picture of one channel its mean times weights plus bias, as one row.
func greyHead(weights, bias []float32) []byte {
	g := newGraph()
	one := onnxgraph.Dim{Size: 1}
	g.Graph.Inputs = []*onnxgraph.Port{
		onnxgraph.FloatPort("in", one, one, onnxgraph.Dim{Free: "H"}, onnxgraph.Dim{Free: "W"}),
	}
	n := int64(len(weights))
	w := g.constant(onnxgraph.FloatTensor("w", []int64{n, 1, 1, 1}, weights))
	b := g.constant(onnxgraph.FloatTensor("b", []int64{n}, bias))
	g.node("GlobalAveragePool", "mean", []string{"in"})
	g.node("Conv", "conv", []string{"mean", w, b})
	g.node("Flatten", "out", []string{"conv"})
	g.Graph.Outputs = []*onnxgraph.Port{onnxgraph.FloatPort("out", one, onnxgraph.Dim{Size: n})}
	return g.Bytes()
}

// ageGenderModel says red as years and green against 100 as male.
func ageGenderModel() []byte {
	g := newGraph()
	g.node("GlobalAveragePool", "mean", []string{"in"})
	g.head("age", "mean", 1, [][3]float32{red()}, []float32{0})
	g.head("gender", "mean", 2, [][3]float32{green(), {}}, []float32{0, 100})
	return g.Bytes()
}

// expressionsModel says red for HAPPY, green for SAD and 100 for CALM.
func expressionsModel() []byte {
	g := newGraph()
	g.node("GlobalAveragePool", "mean", []string{"in"})
	g.head("out", "mean", 3, [][3]float32{{}, red(), green()}, []float32{100, 0, 0})
	return g.Bytes()
}

// frontal68 is a face of 68 points in ratios of the square around it: eyes at .3 and .7, each .2 wide, mouth at .8, lips
// as far apart as gap says, in widths of the mouth.
func frontal68(gap float32) shape68 {
	var s shape68
	for i := range 17 { // the jaw, a bow
		a := math.Pi * float64(i) / 16
		s[i] = face.Point{X: float32(.5 - .45*math.Cos(a)), Y: float32(.4 + .55*math.Sin(a))}
	}
	for i := range 5 {
		s[17+i] = face.Point{X: .2 + .05*float32(i), Y: .25}
		s[22+i] = face.Point{X: .6 + .05*float32(i), Y: .25}
		s[31+i] = face.Point{X: .4 + .05*float32(i), Y: .6}
	}
	for i := range 4 {
		s[27+i] = face.Point{X: .5, Y: .35 + .06*float32(i)}
	}
	for i, p := range [6][2]float32{{-.1, 0}, {-.04, -.03}, {.04, -.03}, {.1, 0}, {.04, .03}, {-.04, .03}} {
		s[36+i], s[42+i] = face.Point{X: .3 + p[0], Y: .4 + p[1]}, face.Point{X: .7 + p[0], Y: .4 + p[1]}
	}
	for i := range 12 {
		a := math.Pi * float64(i) / 6
		s[48+i] = face.Point{X: float32(.5 - .15*math.Cos(a)), Y: float32(.8 - .06*math.Sin(a))}
	}
	half := gap * .2 / 2
	for i, p := range [8][2]float32{{-.1, 0}, {-.05, -half}, {0, -half}, {.05, -half}, {.1, 0}, {.05, half}, {0, half}, {-.05, half}} {
		s[60+i] = face.Point{X: .5 + p[0], Y: .8 + p[1]}
	}
	return s
}

// landmarksModel finds the same points in every square.
func landmarksModel(s shape68) []byte {
	var flat []float32
	for _, p := range s {
		flat = append(flat, p.X, p.Y)
	}
	return greyHead(make([]float32, len(flat)), flat)
}

// eyesModel says open where it is brighter than 100.
func eyesModel() []byte { return greyHead([]float32{0, 1}, []float32{100, 0}) }

func lookSpec(kind, file, colours string) LookSpec {
	return LookSpec{
		Kind: kind, File: file, Side: 1, Temperature: 10, Source: "a test",
		Input: InputSpec{Name: "in", Colours: colours, Scale: 1, Width: 8, Height: 8},
	}
}

func attributesSpec() *AttributesSpec {
	return &AttributesSpec{
		AgeGender: &AgeGenderSpec{
			LookSpec: lookSpec("age-gender", "age.onnx", "RGB"), Age: "age", Gender: "gender",
			AgeErrors: []AgeErrorSpec{{From: 0, Years: 1}, {From: 20, Years: 5}},
		},
		Expressions: &ExpressionsSpec{
			LookSpec: lookSpec("expressions", "expressions.onnx", "RGB"), Output: "out",
			Emotions: []face.EmotionType{face.Calm, face.Happy, face.Sad},
		},
		Eyes: &EyesSpec{LookSpec: lookSpec("eye-state", "eyes.onnx", "grey"), Output: "out"},
	}
}

// attributesPack is a pack with the test's attribute models, after spoil has had its way.
func attributesPack(t *testing.T, spoil func(m *Manifest, models map[string][]byte)) string {
	t.Helper()
	dir := scrfdPack(t)
	document, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest(document)
	if err != nil {
		t.Fatal(err)
	}
	m.Landmarks, m.Attributes = landmarks68(16, 16), attributesSpec()
	m.Landmarks.File = "l.onnx"
	models := map[string][]byte{
		"l.onnx": landmarksModel(frontal68(.3)), "age.onnx": ageGenderModel(), "expressions.onnx": expressionsModel(),
		"eyes.onnx": eyesModel(),
	}
	if spoil != nil {
		spoil(m, models)
	}
	for name, content := range models {
		sum := sha256.Sum256(content)
		m.Files = append(m.Files, FileSpec{
			Path: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Licence: "Apache-2.0", Source: "a test",
		})
		write(t, filepath.Join(dir, name), content)
	}
	if document, err = m.Bytes(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ManifestName), document)
	return dir
}

// plain is a picture of one colour.
func plain(r, g, b byte) *face.Picture {
	const side = 200
	return &face.Picture{
		Width: side, Height: side, Layout: face.RGB, Strides: [3]int{3 * side},
		Planes: [3][]byte{slices.Repeat([]byte{r, g, b}, side*side)},
	}
}

func inTheMiddle() *face.Detection {
	return &face.Detection{Box: face.Box{Left: .25, Top: .25, Width: .5, Height: .5}}
}

func TestAttributesSayWhatTheModelsSay(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, attributesPack(t, nil), Options{})
	for name, c := range map[string]struct {
		picture  *face.Picture
		age      face.AgeRange
		female   bool
		emotions []face.EmotionType
		smile    bool
		eyesOpen bool
	}{
		"dark":  {plain(40, 20, 0), face.AgeRange{Low: 32, High: 48}, true, []face.EmotionType{face.Calm, face.Happy, face.Sad}, false, false},
		"young": {plain(10, 200, 0), face.AgeRange{Low: 8, High: 12}, false, []face.EmotionType{face.Sad, face.Calm, face.Happy}, false, true},
		"none":  {plain(0, 0, 255), face.AgeRange{Low: 0, High: 2}, true, []face.EmotionType{face.Calm, face.Happy, face.Sad}, false, false},
		"old":   {plain(250, 130, 200), face.AgeRange{Low: 114, High: 122}, false, []face.EmotionType{face.Happy, face.Sad, face.Calm}, true, true},
	} {
		a, err := r.Attributes(t.Context(), c.picture, inTheMiddle())
		if err != nil {
			t.Fatal(err)
		}
		if *a.Age != c.age || a.Gender.Female != c.female || a.Smile.Value != c.smile || a.EyesOpen.Value != c.eyesOpen ||
			!a.MouthOpen.Value || a.Further == nil {
			t.Errorf("%s: age %+v, gender %+v, smile %+v, eyes %+v, mouth %+v, %v points", name, *a.Age, *a.Gender, *a.Smile,
				*a.EyesOpen, *a.MouthOpen, a.Further)
		}
		sum := float32(0)
		for i, e := range a.Emotions {
			sum += e.Confidence
			if e.Type != c.emotions[i] {
				t.Errorf("%s: emotion %d is %s instead of %s", name, i, e.Type, c.emotions[i])
			}
		}
		if math.Abs(float64(sum)-100) > 1e-3 {
			t.Errorf("%s: the emotions sum up to %v %%", name, sum)
		}
	}
}

func TestAttributesThatThePackCannotGiveAreNil(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dir  func(t *testing.T) string
		want face.Attributes
	}{
		"nothing at all": {scrfdPack, face.Attributes{}},
		"no landmarks": {func(t *testing.T) string {
			t.Helper()
			return attributesPack(t, func(m *Manifest, _ map[string][]byte) {
				m.Landmarks, m.Attributes.Eyes, m.Attributes.Expressions = nil, nil, nil
			})
		}, face.Attributes{Age: &face.AgeRange{Low: 8, High: 12}, Gender: &face.Gender{Confidence: 50}}},
		"no models": {func(t *testing.T) string {
			t.Helper()
			return attributesPack(t, func(m *Manifest, _ map[string][]byte) { m.Attributes = &AttributesSpec{} })
		}, face.Attributes{MouthOpen: mouth(.3), Further: furtherIn(frontal68(.3))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecognizer(t, c.dir(t), Options{})
			a, err := r.Attributes(t.Context(), plain(10, 100, 0), inTheMiddle())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, *a, cmp.Comparer(nearly)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func nearly(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-4 }

func mouth(gap float32) *face.Trait { s := frontal68(gap); return s.mouthOpen() }

// namedIn are the points of a shape in the middle of the test's picture.
func furtherIn(s shape68) *face.FurtherLandmarks {
	for i, p := range s {
		s[i] = face.Point{X: 50 + 100*p.X, Y: 50 + 100*p.Y}
	}
	return s.further(200, 200)
}

// TestModelsThatSeeTheSameShareIt compares a pack whose models are shown the same with one whose models are not.
func TestModelsThatSeeTheSameShareIt(t *testing.T) {
	t.Parallel()
	shared := newRecognizer(t, attributesPack(t, nil), Options{})
	apart := newRecognizer(t, attributesPack(t, func(m *Manifest, _ map[string][]byte) {
		m.Attributes.Expressions.Side = 0.5
	}), Options{})
	// The face's square is a quarter red, the middle of it is all red.
	p := spots(200, 200, nil)
	for y := 75; y < 125; y++ {
		for x := 75; x < 125; x++ {
			p.Planes[0][3*(200*y+x)] = 200
		}
	}
	a, err := shared.Attributes(t.Context(), p, inTheMiddle())
	if err != nil {
		t.Fatal(err)
	}
	b, err := apart.Attributes(t.Context(), p, inTheMiddle())
	if err != nil {
		t.Fatal(err)
	}
	if *a.Age != *b.Age || a.Emotions[0].Type != face.Calm || b.Emotions[0].Type != face.Happy {
		t.Errorf("shared %+v %+v, apart %+v %+v", *a.Age, a.Emotions, *b.Age, b.Emotions)
	}
}

func TestAttributeModelsAreLoadedLate(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, attributesPack(t, nil), Options{})
	if _, err := r.Faces(t.Context(), plain(0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if a := r.attributer; a.loaded || a.ageGender != nil || a.expressions != nil || a.eyes != nil {
		t.Error("models are loaded that nobody has asked for")
	}
	if _, err := r.Attributes(t.Context(), plain(0, 0, 0), inTheMiddle()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestAttributeModelsThatDoNotFit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(m *Manifest, models map[string][]byte)
		says  string
	}{
		"no model": {func(_ *Manifest, models map[string][]byte) { models["age.onnx"] = []byte("text") }, "age.onnx"},
		"an unknown output": {func(m *Manifest, _ map[string][]byte) {
			m.Attributes.Expressions.Output = "nothing"
		}, "expressions.onnx"},
		"too few emotions": {func(m *Manifest, _ map[string][]byte) {
			m.Attributes.Expressions.Emotions = []face.EmotionType{face.Happy, face.Sad}
		}, "3 numbers instead of 2"},
		"three states of an eye": {func(_ *Manifest, models map[string][]byte) {
			models["eyes.onnx"] = greyHead([]float32{1, 2, 3}, []float32{0, 0, 0})
		}, "3 numbers instead of 2"},
		"no number": {func(_ *Manifest, models map[string][]byte) {
			nan := float32(math.NaN())
			models["eyes.onnx"] = greyHead([]float32{0, 0}, []float32{nan, 0})
		}, "NaN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecognizer(t, attributesPack(t, c.spoil), Options{})
			for range 2 { // the second try fails as the first
				if a, err := r.Attributes(t.Context(), plain(9, 9, 9), inTheMiddle()); err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("it says %+v, %v", a, err)
				}
			}
		})
	}
}

func TestAttributesRefuse(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, attributesPack(t, nil), Options{})
	nan := float32(math.NaN())
	for name, box := range map[string]face.Box{
		"no box":                   {},
		"a box upside down":        {Left: .2, Top: .2, Width: .2, Height: -.2},
		"a box beside the picture": {Left: 1.2, Top: .2, Width: .2, Height: .2},
		"a box without a place":    {Left: nan, Top: .2, Width: .2, Height: .2},
		"a box of infinite height": {Left: .2, Top: .2, Width: .2, Height: float32(math.Inf(1))},
		"an enormous box":          {Left: .2, Top: .2, Width: .2, Height: 1e9},
	} {
		if _, err := r.Attributes(t.Context(), plain(0, 0, 0), &face.Detection{Box: box}); !errors.Is(err, ErrNoFace) {
			t.Errorf("%s: %v", name, err)
		}
	}
	half := plain(0, 0, 0)
	half.Planes[0] = half.Planes[0][:1000]
	if _, err := r.Attributes(t.Context(), half, inTheMiddle()); err == nil || errors.Is(err, ErrNoFace) {
		t.Errorf("half a picture: %v", err)
	}
	// Boxes that reach beyond the picture are usual.
	for _, box := range []face.Box{{Left: -.3, Top: -.4, Width: .5, Height: .6}, {Left: .999, Top: .999, Width: 3, Height: 3}} {
		if _, err := r.Attributes(t.Context(), plain(0, 0, 0), &face.Detection{Box: box}); err != nil {
			t.Errorf("%+v: %v", box, err)
		}
	}
}
