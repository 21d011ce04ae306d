package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of TensorProto and the element types used here.
const (
	tensorDims   = 1
	tensorType   = 2
	tensorFloats = 4
	tensorName   = 8
	tensorRaw    = 9

	elementFloat = 1
	elementInt64 = 7
)

// Tensor is a named constant. Its elements lie in the first dimension's order, the last dimension fastest.
type Tensor struct {
	Name string
	Dims []int64
	kind int64
	// raw holds the elements as little-endian bytes, where the file does.
	raw []byte
	// floats holds them as packed little-endian floats in the field that has its own place for them.
	floats []byte
	rest   []field
}

// FloatTensor makes a constant of float32.
func FloatTensor(name string, dims []int64, values []float32) *Tensor {
	t := &Tensor{Name: name, Dims: dims, kind: elementFloat}
	t.raw = make([]byte, 0, 4*len(values))
	for _, v := range values {
		t.raw = binary.LittleEndian.AppendUint32(t.raw, math.Float32bits(v))
	}
	return t
}

// IntTensor makes a constant of int64.
func IntTensor(name string, dims []int64, values []int64) *Tensor {
	t := &Tensor{Name: name, Dims: dims, kind: elementInt64}
	t.raw = make([]byte, 0, 8*len(values))
	for _, v := range values {
		t.raw = binary.LittleEndian.AppendUint64(t.raw, uint64(v)) //nolint:gosec // two's complement
	}
	return t
}

// Floats are the elements of a float32 tensor, a copy.
func (t *Tensor) Floats() ([]float32, error) {
	content := t.raw
	if len(content) == 0 {
		content = t.floats
	}
	size := int64(1)
	for _, d := range t.Dims {
		if d < 0 || (d > 0 && size > int64(len(content))/d) {
			return nil, fmt.Errorf("tensor %q: %d bytes are too few for %v", t.Name, len(content), t.Dims)
		}
		size *= d
	}
	if t.kind != elementFloat || int64(len(content)) != 4*size {
		return nil, fmt.Errorf("tensor %q is not made of %d float32", t.Name, size)
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(content[4*i:]))
	}
	return values, nil
}

func (t *Tensor) parse(message []byte) error {
	return fields(message, func(f field) (err error) {
		switch {
		case f.number == tensorDims:
			t.Dims, err = f.ints(t.Dims)
		case f.number == tensorType && f.kind == protowire.VarintType:
			t.kind = int64(f.value) //nolint:gosec // an enumeration
		case f.number == tensorFloats && f.kind == protowire.BytesType:
			t.floats = append(t.floats, f.bytes...)
		case f.number == tensorFloats && f.kind == protowire.Fixed32Type:
			t.floats = binary.LittleEndian.AppendUint32(t.floats, uint32(f.value)) //nolint:gosec // read from 32 bits
		case f.number == tensorName && f.kind == protowire.BytesType:
			t.Name = string(f.bytes)
		case f.number == tensorRaw && f.kind == protowire.BytesType:
			t.raw = f.bytes
		default:
			t.rest = append(t.rest, f)
		}
		return err
	})
}

func (t *Tensor) bytes() []byte {
	var b []byte
	for _, d := range t.Dims {
		b = appendInt(b, tensorDims, d)
	}
	b = appendInt(b, tensorType, t.kind)
	if len(t.floats) > 0 {
		b = appendBytes(b, tensorFloats, t.floats)
	}
	b = appendString(b, tensorName, t.Name)
	if len(t.raw) > 0 {
		b = appendBytes(b, tensorRaw, t.raw)
	}
	return appendFields(b, t.rest)
}
