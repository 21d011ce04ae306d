package packbuild

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Bounds of a weights manifest. The networks read here have 51 weights of at most 131,072 numbers.
const (
	maxWeights         = 1000
	maxWeightDims      = 4
	maxWeightsManifest = 1 << 20 // bytes
)

// weights are a network's numbers, as TensorFlow.js keeps them: a manifest that says what lies in a binary file, one
// after the other and without gaps. Numbers are float32 or were made bytes, evenly between two bounds.
type weights struct {
	tensors map[string]tensor
	used    map[string]bool
}

// tensor holds its numbers in the first dimension's order, the last dimension fastest.
type tensor struct {
	dims   []int
	values []float32
}

// weightGroup, weightSpec and quantization are the manifest's own shapes.
type weightGroup struct {
	Paths   []string     `json:"paths"`
	Weights []weightSpec `json:"weights"`
}

type weightSpec struct {
	Name         string        `json:"name"`
	Shape        []int         `json:"shape"`
	DType        string        `json:"dtype"`
	Quantization *quantization `json:"quantization,omitempty"`
}

type quantization struct {
	DType string  `json:"dtype"`
	Scale float64 `json:"scale"`
	Min   float64 `json:"min"`
}

// parseWeights reads a manifest and the one binary file that it describes. Both must fit each other to the byte.
func parseWeights(manifest, binaries []byte) (*weights, error) {
	specs, err := parseWeightsManifest(manifest)
	if err != nil {
		return nil, fmt.Errorf("read weights manifest: %w", err)
	}
	w := &weights{tensors: map[string]tensor{}, used: map[string]bool{}}
	for _, s := range specs {
		if _, twice := w.tensors[s.Name]; twice {
			return nil, fmt.Errorf("read weights: %q is there twice", s.Name)
		}
		t, n, err := s.read(binaries)
		if err != nil {
			return nil, fmt.Errorf("read weights %q: %w", s.Name, err)
		}
		w.tensors[s.Name], binaries = t, binaries[n:]
	}
	if len(binaries) > 0 {
		return nil, fmt.Errorf("read weights: %d bytes belong to nothing", len(binaries))
	}
	return w, nil
}

func parseWeightsManifest(manifest []byte) ([]weightSpec, error) {
	if len(manifest) > maxWeightsManifest {
		return nil, fmt.Errorf("%d bytes are more than %d", len(manifest), maxWeightsManifest)
	}
	d := json.NewDecoder(bytes.NewReader(manifest))
	d.DisallowUnknownFields()
	var groups []weightGroup
	if err := d.Decode(&groups); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	if len(groups) != 1 || len(groups[0].Paths) != 1 || len(groups[0].Weights) > maxWeights {
		return nil, fmt.Errorf("%d groups instead of one with one file and at most %d weights", len(groups), maxWeights)
	}
	return groups[0].Weights, nil
}

// read takes the weight's numbers from the front of content and says how many bytes they were.
func (s *weightSpec) read(content []byte) (tensor, int, error) {
	width, quantized := 4, s.Quantization != nil
	if quantized {
		width = 1
	}
	if s.DType != "float32" || (quantized && s.Quantization.DType != "uint8") {
		return tensor{}, 0, errors.New("neither float32 nor float32 kept as uint8")
	}
	if len(s.Shape) == 0 || len(s.Shape) > maxWeightDims {
		return tensor{}, 0, fmt.Errorf("%d dimensions", len(s.Shape))
	}
	size := 1
	for _, d := range s.Shape {
		if d <= 0 || d > len(content)/width/size {
			return tensor{}, 0, fmt.Errorf("%d bytes are too few for %v", len(content), s.Shape)
		}
		size *= d
	}
	t := tensor{dims: s.Shape, values: make([]float32, size)}
	for i := range t.values {
		if quantized {
			t.values[i] = float32(float64(content[i])*s.Quantization.Scale + s.Quantization.Min)
		} else {
			t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(content[4*i:]))
		}
		if v := float64(t.values[i]); math.IsNaN(v) || math.IsInf(v, 0) {
			return tensor{}, 0, fmt.Errorf("number %d is %v", i, v)
		}
	}
	return t, size * width, nil
}

// take is a weight of a known shape.
func (w *weights) take(name string, dims ...int) ([]float32, error) {
	t, ok := w.tensors[name]
	if !ok {
		return nil, fmt.Errorf("no weights %q", name)
	}
	if !slices.Equal(t.dims, dims) {
		return nil, fmt.Errorf("weights %q are %v instead of %v", name, t.dims, dims)
	}
	w.used[name] = true
	return t.values, nil
}

// rest says whether weights are left that nothing has taken: then they are another network's.
func (w *weights) rest() error {
	if n := len(w.tensors) - len(w.used); n > 0 {
		return fmt.Errorf("%d of %d weights have no place in the network", n, len(w.tensors))
	}
	return nil
}
