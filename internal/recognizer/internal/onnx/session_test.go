package onnx

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/recognizer/internal/onnxgraph"
)

// open loads the library that 'make setup' puts beside the models, or skips the test.
func open(t *testing.T) *Library {
	t.Helper()
	dir := os.Getenv("SPOTTER_MODELS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "models", "default")
	}
	name := "libonnxruntime.so.1"
	if runtime.GOOS == "darwin" {
		name = "libonnxruntime.1.dylib"
	}
	path := filepath.Join(dir, "..", "runtime", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no onnxruntime (%v): run 'make setup'", err)
	}
	library, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 { // the second time does nothing
			if err := library.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return library
}

// doubler is a model of one input of any width that gives its double, and its shape as integers.
func doubler() []byte {
	m := onnxgraph.NewModel("doubler")
	one := onnxgraph.Dim{Size: 1}
	any4 := []onnxgraph.Dim{one, one, one, {Free: "W"}}
	m.Graph.Inputs = []*onnxgraph.Port{onnxgraph.FloatPort("in", any4...)}
	m.Graph.Outputs = []*onnxgraph.Port{onnxgraph.FloatPort("out", any4...)}
	m.Graph.Nodes = []*onnxgraph.Node{onnxgraph.NewNode("Add", "out", []string{"in", "in"})}
	return m.Bytes()
}

func TestSessionKeepsBuffersPerShape(t *testing.T) {
	t.Parallel()
	session, err := open(t).NewSession(doubler(), "in", "out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for range 2 {
			if e := session.Close(); e != nil {
				t.Error(e)
			}
		}
	}()
	first, err := session.For(Shape{1, 1, 1, 3})
	if err != nil {
		t.Fatal(err)
	}
	copy(first.Input(), []float32{1, 2, 3})
	for range 3 { // the first time makes the output's buffer
		if err := first.Do(); err != nil || !slices.Equal(first.Output(0), []float32{2, 4, 6}) {
			t.Errorf("%v, %v", first.Output(0), err)
		}
	}
	for width := range int64(MaxShapes - 1) {
		if _, err := session.For(Shape{1, 1, 1, 10 + width}); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := session.For(Shape{1, 1, 1, 3}); err != nil || again != first {
		t.Errorf("the buffers were made anew (%v)", err)
	}
	for width := range int64(MaxShapes) {
		if _, err := session.For(Shape{1, 1, 1, 20 + width}); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := session.For(Shape{1, 1, 1, 3}); err != nil || again == first {
		t.Errorf("buffers are kept without end (%v)", err)
	}
	if n := len(session.runs); n != MaxShapes {
		t.Errorf("%d buffers are kept instead of %d", n, MaxShapes)
	}
	if other, err := session.For(Shape{1, 2, 1, 3}); err != nil || other.Do() == nil || other.Do() == nil {
		t.Errorf("an input that the model does not take was accepted (%v)", err)
	}
	if _, err := session.For(Shape{1, 1, 1, 0}); err == nil {
		t.Error("an input of nothing was accepted")
	}
}

func TestSessionsOfOneModelShareItAndRunSideBySide(t *testing.T) {
	t.Parallel()
	library := open(t)
	var sessions []*Session
	for range 4 {
		s, err := library.NewSession(doubler(), "in", "out")
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	if n := len(library.models.loaded); n != 1 || sessions[0].model != sessions[3].model {
		t.Errorf("the model is loaded %d times", n)
	}
	var group sync.WaitGroup
	for i, s := range sessions {
		group.Go(func() {
			run, err := s.For(Shape{1, 1, 1, 64})
			if err != nil {
				t.Error(err)
				return
			}
			for k := range 500 {
				for j := range run.Input() {
					run.Input()[j] = float32(1000*i + k)
				}
				if err := run.Do(); err != nil || run.Output(0)[63] != 2*float32(1000*i+k) {
					t.Errorf("session %d gives %v for %d (%v)", i, run.Output(0)[63], 1000*i+k, err)
					return
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(library.models.loaded); n != 0 {
		t.Errorf("%d models are loaded with no session left", n)
	}
}

func TestOpenIsOncePerProcess(t *testing.T) {
	t.Parallel()
	first, second := open(t), open(t)
	if first.Path() != second.Path() || first.Version() == "" {
		t.Errorf("%s, %s, version %q", first.Path(), second.Path(), first.Version())
	}
	if _, err := Open("/nowhere/libonnxruntime.so.1"); err == nil {
		t.Error("another library was loaded beside the first")
	}
}

func TestNewSessionRefuses(t *testing.T) {
	t.Parallel()
	library := open(t)
	for name, c := range map[string]struct {
		model  []byte
		output string
	}{"nothing": {nil, "out"}, "text": {[]byte("no model"), "out"}} {
		if _, err := library.NewSession(c.model, "in", c.output); err == nil {
			t.Errorf("%s was loaded as a model", name)
		}
	}
	session, err := library.NewSession(doubler(), "in", "nothing")
	if err == nil {
		var run *Run
		if run, err = session.For(Shape{1, 1, 1, 3}); err == nil {
			err = run.Do()
		}
		if e := session.Close(); e != nil {
			t.Error(e)
		}
	}
	if err == nil {
		t.Error("an output that is not there was read")
	}
}
