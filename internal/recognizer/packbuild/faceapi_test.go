package packbuild

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

// TestNetworksAgreeWithTheirPackage compares the graphs with what the package's own code computes: face-api.js 1.7.15 on
// TensorFlow.js's processor backend, nets.ageGenderNet.forward and nets.faceExpressionNet.forward of three pictures made
// by rule. Figures are years, then probabilities of male and female, then of the seven expressions.
func TestNetworksAgreeWithTheirPackage(t *testing.T) {
	t.Parallel()
	ageGender := packaged(t, "age_gender_model", ageGenderNetwork)
	expressions := packaged(t, "face_expression_model", expressionNetwork)
	for name, c := range map[string]struct {
		pixel       func(x, y, channel int) int
		age         float64
		gender      []float64
		expressions []float64
	}{
		"diagonals": {
			pixel:  func(x, y, c int) int { return (x*7 + y*13 + c*61) % 256 },
			age:    38.802947998046875,
			gender: []float64{0.9999154806137085, 0.00008455941133433953},
			expressions: []float64{
				0.4706372320652008, 0.38850727677345276, 0.1391567885875702, 0.0014391920994967222, 1.2874714627741923e-7,
				0.000003260952098571579, 0.0002560617867857218,
			},
		},
		"ellipses": {
			pixel:  func(x, y, c int) int { return ((x*x+3*y*y)>>4 + c*40) & 255 },
			age:    53.835933685302734,
			gender: []float64{0.9999980926513672, 0.0000018651178379514022},
			expressions: []float64{
				0.08743676543235779, 0.06327532231807709, 0.8255711793899536, 0.02368026413023472, 3.740297316312535e-8,
				0.00003632271909737028, 1.537591316491671e-7,
			},
		},
		"a bright spot": {
			pixel:  func(x, y, c int) int { return (200 - ((x-56)*(x-56)+(y-56)*(y-56))>>5 + c*9) & 255 },
			age:    16.41276741027832,
			gender: []float64{0.4805900752544403, 0.5194099545478821},
			expressions: []float64{
				0.7509735226631165, 0.22976918518543243, 0.0011552246287465096, 0.013279175385832787, 9.770358246896649e-7,
				0.0037608505226671696, 0.001061088521964848,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := drawn(t, ageGender, c.pixel, ageOutput, genderOutput)
			if d := math.Abs(float64(out[0][0]) - c.age); d > 1e-4 {
				t.Errorf("the age is %v years instead of %v", out[0][0], c.age)
			}
			near(t, "gender", softmax(out[1]), c.gender)
			near(t, "expressions", softmax(drawn(t, expressions, c.pixel, expressionOutput)[0]), c.expressions)
		})
	}
}

// TestExpressionsAreInTheirOrder compares the order with the labels in the package's source.
func TestExpressionsAreInTheirOrder(t *testing.T) {
	t.Parallel()
	words := map[string]face.EmotionType{
		"neutral": face.Calm, "happy": face.Happy, "sad": face.Sad, "angry": face.Angry, "fearful": face.Fear,
		"disgusted": face.Disgusted, "surprised": face.Surprised,
	}
	source, err := os.ReadFile(filepath.Join(npmDir(t), filepath.FromSlash(attributesPackage),
		"src", "faceExpressionNet", "FaceExpressions.ts"))
	if err != nil {
		t.Fatal(err)
	}
	labels := regexp.MustCompile(`FACE_EXPRESSION_LABELS = \[([^]]*)]`).FindSubmatch(source)
	if labels == nil {
		t.Fatal("the package's source names no labels")
	}
	var want []face.EmotionType
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(labels[1]), -1) {
		want = append(want, words[word])
	}
	if got := expressionOrder(); !slices.Equal(got, want) {
		t.Errorf("the order is %v, the package's %v", got, want)
	}
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers instead of %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-5 {
			t.Errorf("%s: number %d is %v instead of %v", what, i, got[i], want[i])
		}
	}
}

func softmax(x []float32) []float64 {
	out, sum := make([]float64, len(x)), 0.0
	for i, v := range x {
		out[i] = math.Exp(float64(v))
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// packaged builds a network of the installed package.
func packaged(t *testing.T, name string, build func(manifest, binaries []byte) ([]byte, error)) []byte {
	t.Helper()
	var files [2][]byte
	for i, suffix := range []string{"-weights_manifest.json", ".bin"} {
		var err error
		files[i], err = os.ReadFile(filepath.Join(npmDir(t), filepath.FromSlash(attributesPackage), "model", name+suffix))
		if err != nil {
			t.Fatal(err)
		}
	}
	model, err := build(files[0], files[1])
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// drawn runs a network on a picture made by rule.
func drawn(t *testing.T, model []byte, pixel func(x, y, channel int) int, names ...string) [][]float32 {
	t.Helper()
	return run(t, model, onnx.Shape{1, 3, networkSide, networkSide}, func(input []float32) {
		for i := range input {
			x, y, channel := i%networkSide, i/networkSide%networkSide, i/networkSide/networkSide
			input[i] = float32(pixel(x, y, channel))
		}
	}, names...)
}
