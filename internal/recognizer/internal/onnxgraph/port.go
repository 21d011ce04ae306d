package onnxgraph

import "google.golang.org/protobuf/encoding/protowire"

// Field numbers of ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto and its Dimension.
const (
	portName     = 1
	portType     = 2
	typeIsTensor = 1
	tensorElem   = 1
	tensorShape  = 2
	shapeDim     = 1
	dimValue     = 1
	dimParam     = 2
)

// Port is an input or output of a graph: a name and a type, the latter in the file's own bytes.
type Port struct {
	Name string
	rest []field
}

// Dim is one dimension of a port: a size, or a name where any size goes.
type Dim struct {
	Size int64
	Free string
}

// FloatPort makes a port of float32 with these dimensions.
func FloatPort(name string, dims ...Dim) *Port {
	var shape []byte
	for _, d := range dims {
		if d.Free != "" {
			shape = appendBytes(shape, shapeDim, appendString(nil, dimParam, d.Free))
		} else {
			shape = appendBytes(shape, shapeDim, appendInt(nil, dimValue, d.Size))
		}
	}
	tensor := appendInt(nil, tensorElem, elementFloat)
	tensor = appendBytes(tensor, tensorShape, shape)
	content := appendBytes(nil, typeIsTensor, tensor)
	return &Port{Name: name, rest: []field{{number: portType, kind: protowire.BytesType, bytes: content}}}
}

func (p *Port) parse(message []byte) error {
	return fields(message, func(f field) error {
		if f.number == portName && f.kind == protowire.BytesType {
			p.Name = string(f.bytes)
			return nil
		}
		p.rest = append(p.rest, f)
		return nil
	})
}

func (p *Port) bytes() []byte { return appendFields(appendString(nil, portName, p.Name), p.rest) }
