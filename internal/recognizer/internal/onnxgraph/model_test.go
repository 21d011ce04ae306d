package onnxgraph

import (
	"bytes"
	"slices"
	"testing"
)

// small is a graph of two branches: one reaches "wanted", the other "other".
func small() *Model {
	m := NewModel("small")
	g := &m.Graph
	g.Inputs = []*Port{FloatPort("in", Dim{Size: 1}, Dim{Free: "N"}), FloatPort("unused", Dim{Size: 1})}
	g.Outputs = []*Port{FloatPort("other", Dim{Size: 1})}
	g.Initializers = []*Tensor{
		FloatTensor("a", []int64{2}, []float32{1, -2.5}), IntTensor("shape", []int64{2}, []int64{1, -1}),
	}
	g.Nodes = []*Node{
		NewNode("Add", "sum", []string{"in", "a"}),
		NewNode("Softmax", "wanted", []string{"sum"}, IntAttribute("axis", -1)),
		NewNode("Reshape", "other", []string{"sum", "shape"}),
	}
	return m
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	file := small().Bytes()
	m, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if again := m.Bytes(); !bytes.Equal(again, file) {
		t.Error("a model read and written again differs")
	}
	if len(m.Graph.Nodes) != 3 || m.Graph.Nodes[1].Attribute("axis").Int != -1 || m.Graph.Nodes[1].Attribute("none") != nil {
		t.Errorf("read nodes %+v", m.Graph.Nodes)
	}
	values, err := m.Graph.Initializers[0].Floats()
	if err != nil || !slices.Equal(values, []float32{1, -2.5}) {
		t.Errorf("read %v, %v", values, err)
	}
	if _, err := m.Graph.Initializers[1].Floats(); err == nil {
		t.Error("integers were read as floats")
	}
}

func TestUnknownFieldsSurvive(t *testing.T) {
	t.Parallel()
	unknown := appendString(nil, 200, "from the future")
	inGraph := appendBytes(nil, modelGraph, append(small().Graph.bytes(), unknown...))
	m, err := Parse(append(inGraph, unknown...))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(m.Bytes(), []byte("from the future")); n != 2 {
		t.Errorf("%d of 2 unknown fields are left", n)
	}
}

func TestCutKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	m := small()
	if err := m.Graph.Cut(FloatPort("wanted", Dim{Free: "N"})); err != nil {
		t.Fatal(err)
	}
	g := &m.Graph
	if len(g.Nodes) != 2 || len(g.Initializers) != 1 || len(g.Inputs) != 1 || g.Outputs[0].Name != "wanted" {
		t.Errorf("left are %d nodes, %d constants, %d inputs", len(g.Nodes), len(g.Initializers), len(g.Inputs))
	}
	if err := g.Cut(FloatPort("nowhere")); err == nil {
		t.Error("cut to a value that nothing makes")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	graph := appendBytes(nil, modelGraph, small().Graph.bytes())
	for name, file := range map[string][]byte{
		"nothing":         {},
		"no graph":        appendInt(nil, modelIRVersion, 7),
		"two graphs":      append(slices.Clone(graph), graph...),
		"cut short":       graph[:len(graph)-1],
		"text":            []byte("<html>"),
		"tensor too wide": appendBytes(nil, modelGraph, appendBytes(nil, graphInitializer, []byte{0x0a, 0x01, 0xff})),
	} {
		if _, err := Parse(file); err == nil {
			t.Errorf("%s was read as a model", name)
		}
	}
}

func TestReplacePReluRefuses(t *testing.T) {
	t.Parallel()
	m := NewModel("bad")
	m.Graph.Nodes = []*Node{NewNode("PRelu", "y", []string{"x", "slopes"})}
	if _, err := m.Graph.ReplacePRelu(); err == nil {
		t.Error("slopes that are no constant were accepted")
	}
	m.Graph.Initializers = []*Tensor{
		FloatTensor("slopes", []int64{2, 1, 1}, []float32{.1, .2}), FloatTensor("w", []int64{1, 3, 1, 1}, []float32{1, 1, 1}),
	}
	m.Graph.Nodes = []*Node{
		NewNode("PRelu", "y", []string{"x", "slopes"}), NewNode("Conv", "z", []string{"y", "w"}),
	}
	if _, err := m.Graph.ReplacePRelu(); err == nil {
		t.Error("weights for three channels were scaled with two factors")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small().Bytes())
	f.Add([]byte{0x3a, 0x02, 0x0a, 0x00})
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Parse(file)
		if err != nil {
			return
		}
		for _, c := range m.Graph.Initializers {
			_, _ = c.Floats()
		}
		_, _ = m.Graph.ReplacePRelu()
		once := m.Bytes()
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.Bytes(), once) {
			t.Error("written twice, the model differs")
		}
	})
}
