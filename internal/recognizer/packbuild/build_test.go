package packbuild

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

func npmDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "node_modules")
	if _, err := os.Stat(filepath.Join(dir, modelsPackage)); err != nil {
		t.Skipf("the npm packages are absent (%v): run 'make setup'", err)
	}
	return dir
}

func TestBuildIsAPackAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	npm, first, second := npmDir(t), t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := Build(npm, dir, false); err != nil {
			t.Fatal(err)
		}
	}
	pack, err := recognizer.LoadPack(filepath.Join(first, PackFolder))
	if err != nil {
		t.Fatal(err)
	}
	// Stored embeddings belong to this space: a pack that has it otherwise needs another version.
	if id := pack.Model(); id != "default-1.0-49c6db5c" {
		t.Errorf("the model is %q", id)
	}
	if pack.Dim() != 512 || len(pack.Cohort().Mean) != 512 || pack.Calibration().Check() != nil {
		t.Errorf("dimension %d, cohort of %d", pack.Dim(), len(pack.Cohort().Mean))
	}
	for _, f := range append(pack.Manifest().Files, recognizer.FileSpec{Path: recognizer.ManifestName}) {
		a, err := os.ReadFile(filepath.Join(first, PackFolder, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(second, PackFolder, f.Path))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs the second time (%v)", f.Path, err)
		}
	}
	if err := Build(npm, first, false); err != nil {
		t.Errorf("building over a pack: %v", err)
	}
}

// TestBuildReplacesNothingOfOthers builds over what somebody keeps under the names of a pack.
func TestBuildReplacesNothingOfOthers(t *testing.T) {
	t.Parallel()
	npm := npmDir(t)
	for name, file := range map[string]string{
		"a file": "default/embedder.onnx", "another pack": "default/manifest.json", "a text": "runtime/" + recognizer.RuntimeName(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(file))
			const mine = `{"name": "mine", "files": [{"path": "embedder.onnx"}]}`
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(mine), 0o600)); err != nil {
				t.Fatal(err)
			}
			refused := (*outfile.RefusedError)(nil)
			if err := Build(npm, dir, false); !errors.As(err, &refused) {
				t.Errorf("error %v, want a refusal", err)
			}
			if is, err := os.ReadFile(path); err != nil || string(is) != mine {
				t.Errorf("it was replaced (%v)", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "default", "landmarks68.onnx")); err == nil {
				t.Error("a part of the pack was written all the same")
			}
			if err := Build(npm, dir, true); err != nil {
				t.Errorf("with force: %v", err)
			}
		})
	}
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	if err := Build(empty, empty, false); err == nil || !strings.Contains(err.Error(), "npm ci") {
		t.Errorf("without packages: %v", err)
	}
	for _, name := range []string{modelsPackage, attributesPackage, runtimePackage} {
		dir := filepath.Join(empty, name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"version":"9.9.9"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := Build(empty, empty, false); err == nil || !strings.Contains(err.Error(), "9.9.9") {
		t.Errorf("with other packages: %v", err)
	}
}

func TestEditsRefuseOtherModels(t *testing.T) {
	t.Parallel()
	for _, edit := range []func([]byte) ([]byte, error){freeDetector, blockedEmbedder} {
		for _, file := range [][]byte{nil, []byte("text"), {0x3a, 0x00}} {
			if _, err := edit(file); err == nil {
				t.Errorf("%q was edited", file)
			}
		}
	}
}

// TestRewrittenEmbedderIsEqual compares the embedder before and after its rewrite on random pixels.
func TestRewrittenEmbedderIsEqual(t *testing.T) {
	t.Parallel()
	original := model(t, "fr_feature.onnx")
	edited, err := blockedEmbedder(original)
	if err != nil {
		t.Fatal(err)
	}
	shape := onnx.Shape{1, 3, 112, 112}
	want, got := output(t, original, shape, "output")[0], output(t, edited, shape, "output")[0]
	same(t, want, got)
}

// TestFreeDetectorIsEqual compares the detector before and after at the size that was baked in: the scores as they are,
// the boxes by undoing what was cut off (priors and variances as in UltraFace's own configuration).
func TestFreeDetectorIsEqual(t *testing.T) {
	t.Parallel()
	const width, height = 320, 240
	original := model(t, "fr_detect.onnx")
	edited, err := freeDetector(original)
	if err != nil {
		t.Fatal(err)
	}
	shape := onnx.Shape{1, 3, height, width}
	want, got := output(t, original, shape, "scores", "boxes"), output(t, edited, shape, "scores", "462")
	same(t, want[0], got[0])
	var boxes []float32
	for level, sides := range [][]float64{{10, 16, 24}, {32, 48}, {64, 96}, {128, 192, 256}} {
		step := 8 << level
		columns, rows := (width+step-1)/step, (height+step-1)/step
		for cell := range columns * rows {
			for _, side := range sides {
				o := got[1][len(boxes):]
				clip := func(v float64) float64 { return min(max(v, 0), 1) }
				pw, ph := clip(side/width), clip(side/height)
				x := clip((float64(cell%columns)+.5)/float64(columns)) + .1*float64(o[0])*pw
				y := clip((float64(cell/columns)+.5)/float64(rows)) + .1*float64(o[1])*ph
				w, h := pw*math.Exp(.2*float64(o[2])), ph*math.Exp(.2*float64(o[3]))
				boxes = append(boxes, float32(x-w/2), float32(y-h/2), float32(x+w/2), float32(y+h/2))
			}
		}
	}
	same(t, want[1], boxes)
}

func model(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(npmDir(t), modelsPackage, "model", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// output runs a model on the same random pixels each time.
func output(t *testing.T, file []byte, shape onnx.Shape, names ...string) [][]float32 {
	t.Helper()
	return run(t, file, shape, func(input []float32) {
		random := rand.New(rand.NewPCG(1, 2))
		for i := range input {
			input[i] = random.Float32()*2 - 1
		}
	}, names...)
}

// run runs a model on an input that fill makes.
func run(t *testing.T, file []byte, shape onnx.Shape, fill func(input []float32), names ...string) [][]float32 {
	t.Helper()
	library, err := onnx.Open(filepath.Join(npmDir(t), runtimePackage, runtimeFile()))
	if err != nil {
		t.Fatal(err)
	}
	session, err := library.NewSession(file, "input", names...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if e := errors.Join(session.Close(), library.Close()); e != nil {
			t.Error(e)
		}
	})
	run, err := session.For(shape)
	if err != nil {
		t.Fatal(err)
	}
	fill(run.Input())
	if err := run.Do(); err != nil {
		t.Fatal(err)
	}
	var out [][]float32
	for i := range names {
		out = append(out, append([]float32(nil), run.Output(i)...))
	}
	return out
}

func same(t *testing.T, want, got []float32) {
	t.Helper()
	if len(want) != len(got) || len(want) == 0 {
		t.Fatalf("%d numbers instead of %d", len(got), len(want))
	}
	worst := 0.0
	for i := range want {
		worst = max(worst, math.Abs(float64(want[i]-got[i])))
	}
	if !(worst <= 1e-5) {
		t.Errorf("the outputs differ by up to %v", worst)
	}
	t.Logf("the outputs differ by at most %.2g", worst)
}
