package recognizer

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotter-video/spotter/internal/face"
)

// points are where the test's models put the five points, from the anchor, in strides: a plausible face.
func points() []float32 {
	return []float32{-1, -1, 1, -1, 0, 0.2, -0.8, 1.2, 0.8, 1.2}
}

// spots is a picture of black with squares of colour, each 8 pixels a side, at cells of 8 pixels.
func spots(w, h int, cells map[[2]int][3]byte) *face.Picture {
	p := &face.Picture{Width: w, Height: h, Layout: face.RGB, Strides: [3]int{3 * w}}
	p.Planes[0] = make([]byte, 3*w*h)
	for cell, colour := range cells {
		for y := 8 * cell[1]; y < min(8*cell[1]+8, h); y++ {
			for x := 8 * cell[0]; x < min(8*cell[0]+8, w); x++ {
				copy(p.Planes[0][3*(y*w+x):], colour[:])
			}
		}
	}
	return p
}

// scrfdPack is a detector whose first anchor sees red and whose second one green, with a score of the colour's value
// from -1 to 1.
func scrfdPack(t *testing.T) string {
	t.Helper()
	g := newGraph()
	spec := DetectorSpec{
		Kind: "scrfd", File: "d.onnx", MinScore: 0.5, MaxIoU: 0.4,
		Input: InputSpec{Name: "in", Colours: "RGB", Mean: 127.5, Scale: 1 / 127.5},
	}
	for _, stride := range []int64{8, 16, 32} {
		cells := g.pool(stride)
		name := func(s string) string { return fmt.Sprintf("%s%d", s, stride) }
		g.head(name("s"), cells, 1, [][3]float32{red(), green()}, []float32{0, 0})
		g.head(name("b"), cells, 4, fixed(8), []float32{2, 2, 2, 2, 3, 2, 3, 4})
		g.head(name("p"), cells, 10, fixed(20), append(points(), points()...))
		spec.Scores, spec.Boxes = append(spec.Scores, name("s")), append(spec.Boxes, name("b"))
		spec.Points = append(spec.Points, name("p"))
	}
	return writePack(t, spec, g.Bytes())
}

// yuNetPack is a detector whose class sees red and whose object output sees green.
func yuNetPack(t *testing.T) string {
	t.Helper()
	g := newGraph()
	spec := DetectorSpec{
		Kind: "yunet", File: "d.onnx", MinScore: 0.5, MaxIoU: 0.4,
		// In BGR the first channel is blue, so red is the third.
		Input: InputSpec{Name: "in", Colours: "BGR", Mean: 0, Scale: 1.0 / 255},
	}
	for _, stride := range []int64{8, 16, 32} {
		cells := g.pool(stride)
		name := func(s string) string { return fmt.Sprintf("%s%d", s, stride) }
		g.head(name("c"), cells, 1, [][3]float32{{0, 0, 1}}, []float32{0})
		g.head(name("o"), cells, 1, [][3]float32{green()}, []float32{0})
		size := float32(math.Log(4))
		g.head(name("b"), cells, 4, fixed(4), []float32{0.5, 0.25, size, size})
		g.head(name("p"), cells, 10, fixed(10), points())
		spec.Scores, spec.Objects = append(spec.Scores, name("c")), append(spec.Objects, name("o"))
		spec.Boxes, spec.Points = append(spec.Boxes, name("b")), append(spec.Points, name("p"))
	}
	return writePack(t, spec, g.Bytes())
}

// landmarks are the points around an anchor at (x, y) in pixels, as ratios of the picture.
func landmarks(p *face.Picture, x, y, stride float32) (l face.Landmarks) {
	for i := range l {
		l[i] = face.Point{
			X: (x + stride*points()[2*i] + 0.5) / float32(p.Width), Y: (y + stride*points()[2*i+1] + 0.5) / float32(p.Height),
		}
	}
	return l
}

func detectOne(t *testing.T, dir string, p *face.Picture) face.Detection {
	t.Helper()
	r := newRecognizer(t, dir, Options{MinFaceHeight: 8})
	found, err := r.Detect(t.Context(), &face.Frame{Full: *p, Small: *p}, face.Look{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Fatalf("found %d faces instead of one: %+v", len(found), found)
	}
	return found[0]
}

func compare(t *testing.T, got face.Detection, p *face.Picture, box face.PixelBox, l face.Landmarks, confidence float32) {
	t.Helper()
	near := cmpopts.EquateApprox(0, 1e-3)
	if d := cmp.Diff(box.Ratios(p.Width, p.Height), got.Box, near); d != "" {
		t.Errorf("box: %s", d)
	}
	if d := cmp.Diff(l, got.Landmarks, near); d != "" {
		t.Errorf("landmarks: %s", d)
	}
	if math.Abs(float64(got.Confidence-confidence)) > 0.5 {
		t.Errorf("confidence %v, want %v", got.Confidence, confidence)
	}
}

func TestSCRFD(t *testing.T) {
	t.Parallel()
	dir := scrfdPack(t)
	// 104 x 88 is no multiple of 32, so the model sees 128 x 96.
	p := spots(104, 88, map[[2]int][3]byte{{7, 4}: {255, 0, 0}})
	compare(t, detectOne(t, dir, p), p, face.PixelBox{X0: 40, Y0: 16, X1: 72, Y1: 48}, landmarks(p, 56, 32, 8), 100)
	p = spots(104, 88, map[[2]int][3]byte{{5, 6}: {0, 230, 0}})
	compare(t, detectOne(t, dir, p), p, face.PixelBox{X0: 16, Y0: 32, X1: 64, Y1: 80}, landmarks(p, 40, 48, 8), 80.4)
	// Half a cell of stride 16 is bright enough for that, and none of its cells of stride 8 reaches the score.
	p = spots(128, 96, map[[2]int][3]byte{{6, 4}: {200, 0, 0}, {7, 4}: {200, 0, 0}, {6, 5}: {200, 0, 0}, {7, 5}: {200, 0, 0}})
	r := newRecognizer(t, dir, Options{MinFaceHeight: 60})
	found, err := r.Detect(t.Context(), &face.Frame{Full: *p, Small: *p}, face.Look{})
	if err != nil || len(found) != 1 {
		t.Fatalf("found %+v, %v", found, err)
	}
	compare(t, found[0], p, face.PixelBox{X0: 16, Y0: 0, X1: 80, Y1: 64}, landmarks(p, 48, 32, 16), 56.9)
}

func TestYuNet(t *testing.T) {
	t.Parallel()
	p := spots(104, 88, map[[2]int][3]byte{{7, 4}: {255, 163, 0}, {3, 3}: {255, 0, 0}, {9, 8}: {0, 255, 0}})
	// Class 1, object .64: the score is .8. Red or green alone are no face.
	compare(t, detectOne(t, yuNetPack(t), p), p, face.PixelBox{X0: 44, Y0: 18, X1: 76, Y1: 50}, landmarks(p, 56, 32, 8), 80)
}

func TestImplausiblePointsAreRefused(t *testing.T) {
	t.Parallel()
	r := &Recognizer{}
	for i, p := range valid().Embedder.Template {
		r.template[i] = face.Point{X: p[0], Y: p[1]}
	}
	box := face.PixelBox{X0: 120, Y0: 120, X1: 190, Y1: 210}
	good := frontal()
	if !r.pointsPlausible(box, &good) {
		t.Error("a frontal face was refused")
	}
	line, outside := good, good
	for i := range line {
		line[i] = face.Point{X: 130 + float32(10*i), Y: 130}
	}
	for i := range outside {
		outside[i].X += 100
	}
	for _, bad := range [][5]face.Point{line, outside, {}} {
		if r.pointsPlausible(box, &bad) {
			t.Errorf("%v was taken for a face", bad)
		}
	}
}

func TestDetectorOfFixedSize(t *testing.T) {
	t.Parallel()
	g := newGraph()
	spec := DetectorSpec{
		Kind: "scrfd", File: "d.onnx", MinScore: 0.5, MaxIoU: 0.4,
		Input: InputSpec{Name: "in", Colours: "RGB", Mean: 127.5, Scale: 1 / 127.5, Width: 64, Height: 64},
	}
	for _, stride := range []int64{8, 16, 32} {
		cells := g.pool(stride)
		name := func(s string) string { return fmt.Sprintf("%s%d", s, stride) }
		g.head(name("s"), cells, 1, [][3]float32{red(), green()}, []float32{0, 0})
		g.head(name("b"), cells, 4, fixed(8), []float32{2, 2, 2, 2, 3, 2, 3, 4})
		g.head(name("p"), cells, 10, fixed(20), append(points(), points()...))
		spec.Scores, spec.Boxes = append(spec.Scores, name("s")), append(spec.Boxes, name("b"))
		spec.Points = append(spec.Points, name("p"))
	}
	// 128 x 96 becomes 64 x 48: four cells make one.
	p := spots(128, 96, map[[2]int][3]byte{{6, 4}: {255, 0, 0}, {7, 4}: {255, 0, 0}, {6, 5}: {255, 0, 0}, {7, 5}: {255, 0, 0}})
	l := landmarks(p, 48, 32, 16)
	compare(t, detectOne(t, writePack(t, spec, g.Bytes()), p), p, face.PixelBox{X0: 16, Y0: 0, X1: 80, Y1: 64}, l, 100)
}

func TestModelsThatDoNotFitTheManifest(t *testing.T) {
	t.Parallel()
	runtime := newRuntime(t)
	dir := scrfdPack(t)
	load := func() *Pack {
		pack, err := LoadUncalibrated(dir)
		if err != nil {
			t.Fatal(err)
		}
		return pack
	}
	for name, spoil := range map[string]func(*Manifest){
		"an output that is not there": func(m *Manifest) { m.Detector.Scores[0] = "nothing" },
		"another dimension":           func(m *Manifest) { m.Embedder.Dimension = 5 },
		"scores for boxes":            func(m *Manifest) { m.Detector.Boxes = m.Detector.Scores },
	} {
		pack := load()
		spoil(pack.manifest)
		r, err := runtime.New(pack, Options{})
		if err == nil {
			p := spots(64, 64, nil)
			_, err = r.Detect(context.Background(), &face.Frame{Full: *p, Small: *p}, face.Look{})
			if e := r.Close(); e != nil {
				t.Error(e)
			}
		}
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	pack := load()
	pack.content["d.onnx"] = []byte("no model")
	if _, err := runtime.New(pack, Options{}); err == nil {
		t.Error("text was loaded as a model")
	}
}

func TestUnorthodoxEmbeddings(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, scrfdPack(t), Options{})
	var crop face.Crop
	for i := range crop {
		crop[i] = []byte{255, 127, 0}[i%3]
	}
	s, err := r.Embed(t.Context(), &crop)
	if err != nil {
		t.Fatal(err)
	}
	// The embedder says (1, 0, -1, .5) of this crop and of its mirror image: its length is 1.5.
	near := cmpopts.EquateApprox(0, 0.01)
	if d := cmp.Diff([]float32{.667, 0, -.667, .333}, s.Embedding.Vector, near); d != "" || math.Abs(float64(s.Norm)-1.5) > .01 {
		t.Errorf("norm %v, vector %s", s.Norm, d)
	}
	if s.Embedding.Model != r.pack.Model() {
		t.Errorf("the embedding is of model %q", s.Embedding.Model)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Embed(cancelled, &crop); err == nil {
		t.Error("a cancelled embedding succeeded")
	}
}
