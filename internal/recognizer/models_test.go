package recognizer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/recognizer/internal/onnxgraph"
)

// This file builds small models that are fed and read like real ones: where the picture is bright they see a face.

// graph collects the nodes of a model with one picture as its input.
type graph struct{ *onnxgraph.Model }

func newGraph() graph {
	m := onnxgraph.NewModel("test")
	free := func(name string) onnxgraph.Dim { return onnxgraph.Dim{Free: name} }
	m.Graph.Inputs = []*onnxgraph.Port{
		onnxgraph.FloatPort("in", onnxgraph.Dim{Size: 1}, onnxgraph.Dim{Size: 3}, free("H"), free("W")),
	}
	return graph{m}
}

func (g graph) node(op, output string, inputs []string, attributes ...*onnxgraph.Attribute) {
	g.Graph.Nodes = append(g.Graph.Nodes, onnxgraph.NewNode(op, output, inputs, attributes...))
}

func (g graph) constant(t *onnxgraph.Tensor) string {
	g.Graph.Initializers = append(g.Graph.Initializers, t)
	return t.Name
}

// pool makes the picture's mean over cells of a stride: 1 x 3 x rows x columns.
func (g graph) pool(stride int64) string {
	name := fmt.Sprintf("pool%d", stride)
	g.node("AveragePool", name, []string{"in"}, onnxgraph.IntsAttribute("kernel_shape", stride, stride),
		onnxgraph.IntsAttribute("strides", stride, stride))
	return name
}

// head adds an output that has per cell, row by row, one number for each row of weights: the weighted mean of red, green
// and blue plus a bias. width numbers make one entry of the output.
func (g graph) head(output, cells string, width int64, weights [][3]float32, bias []float32) {
	var flat []float32
	for _, w := range weights {
		flat = append(flat, w[:]...)
	}
	n := int64(len(weights))
	w := g.constant(onnxgraph.FloatTensor(output+".w", []int64{n, 3, 1, 1}, flat))
	b := g.constant(onnxgraph.FloatTensor(output+".b", []int64{n}, bias))
	shape := g.constant(onnxgraph.IntTensor(output+".shape", []int64{2}, []int64{-1, width}))
	g.node("Conv", output+".conv", []string{cells, w, b}, onnxgraph.IntsAttribute("kernel_shape", 1, 1))
	g.node("Transpose", output+".rows", []string{output + ".conv"}, onnxgraph.IntsAttribute("perm", 0, 2, 3, 1))
	g.node("Reshape", output, []string{output + ".rows", shape})
	g.Graph.Outputs = append(g.Graph.Outputs, onnxgraph.FloatPort(output, onnxgraph.Dim{Free: "N"}, onnxgraph.Dim{Size: width}))
}

// The channels of the input, as the weights of a head.
func red() [3]float32   { return [3]float32{1, 0, 0} }
func green() [3]float32 { return [3]float32{0, 1, 0} }

// fixed are weights that make a head say its bias everywhere.
func fixed(n int) [][3]float32 { return make([][3]float32, n) }

// embedderModel says the crop's mean colour and a constant: four numbers.
func embedderModel() []byte {
	g := newGraph()
	g.node("GlobalAveragePool", "mean", []string{"in"})
	g.head("out", "mean", 4, [][3]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {}}, []float32{0, 0, 0, 0.5})
	return g.Bytes()
}

// writePack writes a pack of this detector and the test's embedder and returns its folder.
func writePack(t *testing.T, detector DetectorSpec, model []byte) string {
	t.Helper()
	dir := t.TempDir()
	m := valid()
	m.Detector, m.Embedder.File, m.Embedder.Input.Name, m.Files = detector, "e.onnx", "in", nil
	for name, content := range map[string][]byte{"e.onnx": embedderModel(), detector.File: model} {
		sum := sha256.Sum256(content)
		m.Files = append(m.Files, FileSpec{
			Path: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Licence: "Apache-2.0", Source: "a test",
		})
		write(t, filepath.Join(dir, name), content)
	}
	document, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ManifestName), document)
	return dir
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// modelsDir is the folder of the default pack.
func modelsDir() string {
	if dir := os.Getenv("SPOTTER_MODELS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "models", "default")
}

// newRuntime loads onnxruntime or skips the test.
func newRuntime(tb testing.TB) *Runtime {
	tb.Helper()
	if _, err := FindRuntime(modelsDir()); err != nil {
		tb.Skipf("no onnxruntime: run 'make setup' (%v)", err)
	}
	r, err := NewRuntime("", modelsDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// newRecognizer makes a recognizer of a pack; with no folder, of the default pack, or skips the test.
func newRecognizer(tb testing.TB, dir string, o Options) *Recognizer {
	tb.Helper()
	runtime := newRuntime(tb)
	if dir == "" {
		dir = modelsDir()
		if _, err := os.Stat(filepath.Join(dir, ManifestName)); err != nil {
			tb.Skipf("no model pack: run 'make setup' (%v)", err)
		}
	}
	pack, err := LoadUncalibrated(dir)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := runtime.New(pack, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}
