package onnxgraph

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of NodeProto and AttributeProto, and the attribute types used here.
const (
	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOp        = 4
	nodeAttribute = 5

	attributeName   = 1
	attributeFloat  = 2
	attributeInt    = 3
	attributeTensor = 5
	attributeInts   = 8
	attributeType   = 20

	typeFloat  = 1
	typeInt    = 2
	typeTensor = 4
	typeInts   = 7
)

// Node is one operation: it reads the named inputs and makes the named outputs.
type Node struct {
	Name       string
	Op         string
	Inputs     []string
	Outputs    []string
	Attributes []*Attribute
	rest       []field
}

// Attribute is a constant of a node. Which member counts follows from the operation.
type Attribute struct {
	Name   string
	Int    int64
	Ints   []int64
	Tensor *Tensor
	rest   []field // among them the attribute's type
}

// NewNode makes a node with one output.
func NewNode(op, output string, inputs []string, attributes ...*Attribute) *Node {
	return &Node{Name: output, Op: op, Inputs: inputs, Outputs: []string{output}, Attributes: attributes}
}

// IntAttribute makes an integer attribute.
func IntAttribute(name string, v int64) *Attribute {
	return &Attribute{Name: name, Int: v, rest: attributeOf(typeInt)}
}

// IntsAttribute makes an attribute of several integers.
func IntsAttribute(name string, v ...int64) *Attribute {
	return &Attribute{Name: name, Ints: v, rest: attributeOf(typeInts)}
}

func attributeOf(kind uint64) []field {
	return []field{{number: attributeType, kind: protowire.VarintType, value: kind}}
}

// Attribute finds an attribute by name; nil if the node has none of that name.
func (n *Node) Attribute(name string) *Attribute {
	for _, a := range n.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func (n *Node) parse(message []byte) error {
	return fields(message, func(f field) error {
		if f.kind != protowire.BytesType {
			n.rest = append(n.rest, f)
			return nil
		}
		switch f.number {
		case nodeInput:
			n.Inputs = append(n.Inputs, string(f.bytes))
		case nodeOutput:
			n.Outputs = append(n.Outputs, string(f.bytes))
		case nodeName:
			n.Name = string(f.bytes)
		case nodeOp:
			n.Op = string(f.bytes)
		case nodeAttribute:
			return parseInto(&n.Attributes, f.bytes, (*Attribute).parse)
		default:
			n.rest = append(n.rest, f)
		}
		return nil
	})
}

func (n *Node) bytes() []byte {
	var b []byte
	for _, s := range n.Inputs {
		b = appendString(b, nodeInput, s)
	}
	for _, s := range n.Outputs {
		b = appendString(b, nodeOutput, s)
	}
	b = appendString(b, nodeName, n.Name)
	b = appendString(b, nodeOp, n.Op)
	for _, a := range n.Attributes {
		b = appendBytes(b, nodeAttribute, a.bytes())
	}
	return appendFields(b, n.rest)
}

func (a *Attribute) parse(message []byte) error {
	return fields(message, func(f field) (err error) {
		switch {
		case f.number == attributeName && f.kind == protowire.BytesType:
			a.Name = string(f.bytes)
		case f.number == attributeInt && f.kind == protowire.VarintType:
			a.Int = int64(f.value) //nolint:gosec // two's complement, see appendInt
		case f.number == attributeInts:
			a.Ints, err = f.ints(a.Ints)
		case f.number == attributeTensor && f.kind == protowire.BytesType:
			a.Tensor = &Tensor{}
			err = a.Tensor.parse(f.bytes)
		default:
			a.rest = append(a.rest, f)
		}
		return err
	})
}

func (a *Attribute) bytes() []byte {
	b := appendString(nil, attributeName, a.Name)
	if a.Int != 0 {
		b = appendInt(b, attributeInt, a.Int)
	}
	if a.Tensor != nil {
		b = appendBytes(b, attributeTensor, a.Tensor.bytes())
	}
	for _, v := range a.Ints {
		b = appendInt(b, attributeInts, v)
	}
	return appendFields(b, a.rest)
}
