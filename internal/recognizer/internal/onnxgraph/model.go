package onnxgraph

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of ModelProto and GraphProto.
const (
	modelIRVersion = 1
	modelGraph     = 7
	modelOpset     = 8
	opsetVersion   = 2

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	graphValueInfo   = 13
)

// Model is an ONNX file: a graph and what surrounds it.
type Model struct {
	Graph Graph
	rest  []field // everything but the graph, in order
}

// Graph is the computation: nodes in an order in which each finds its inputs made.
type Graph struct {
	Name         string
	Nodes        []*Node
	Initializers []*Tensor
	Inputs       []*Port
	Outputs      []*Port
	// Intermediate describes values between nodes, in the file's own bytes: hints only, wrong as soon as a graph is
	// given other sizes.
	Intermediate [][]byte
	rest         []field
}

// NewModel makes an empty model of IR version 7 and operator set 12, which every onnxruntime since 1.3 runs.
func NewModel(name string) *Model {
	return &Model{
		Graph: Graph{Name: name},
		rest: []field{
			{number: modelIRVersion, kind: protowire.VarintType, value: 7},
			{number: modelOpset, kind: protowire.BytesType, bytes: appendInt(nil, opsetVersion, 12)},
		},
	}
}

// Parse reads a model. It keeps views of file, which must not change afterwards.
func Parse(file []byte) (*Model, error) {
	m, seen := &Model{}, false
	err := fields(file, func(f field) error {
		if f.number != modelGraph || f.kind != protowire.BytesType {
			m.rest = append(m.rest, f)
			return nil
		}
		if seen {
			return errors.New("more than one graph")
		}
		seen = true
		return m.Graph.parse(f.bytes)
	})
	if err == nil && !seen {
		err = errors.New("no graph in it")
	}
	if err != nil {
		return nil, fmt.Errorf("parse ONNX model: %w", err)
	}
	return m, nil
}

// Bytes is the model as a file.
func (m *Model) Bytes() []byte {
	b := appendFields(nil, m.rest)
	return appendBytes(b, modelGraph, m.Graph.bytes())
}

func (g *Graph) parse(message []byte) error {
	return fields(message, func(f field) error {
		if f.kind != protowire.BytesType {
			g.rest = append(g.rest, f)
			return nil
		}
		switch f.number {
		case graphNode:
			return parseInto(&g.Nodes, f.bytes, (*Node).parse)
		case graphName:
			g.Name = string(f.bytes)
		case graphInitializer:
			return parseInto(&g.Initializers, f.bytes, (*Tensor).parse)
		case graphInput:
			return parseInto(&g.Inputs, f.bytes, (*Port).parse)
		case graphOutput:
			return parseInto(&g.Outputs, f.bytes, (*Port).parse)
		case graphValueInfo:
			g.Intermediate = append(g.Intermediate, f.bytes)
		default:
			g.rest = append(g.rest, f)
		}
		return nil
	})
}

func (g *Graph) bytes() []byte {
	var b []byte
	for _, n := range g.Nodes {
		b = appendBytes(b, graphNode, n.bytes())
	}
	b = appendString(b, graphName, g.Name)
	for _, t := range g.Initializers {
		b = appendBytes(b, graphInitializer, t.bytes())
	}
	b = appendFields(b, g.rest)
	for _, p := range g.Inputs {
		b = appendBytes(b, graphInput, p.bytes())
	}
	for _, p := range g.Outputs {
		b = appendBytes(b, graphOutput, p.bytes())
	}
	for _, v := range g.Intermediate {
		b = appendBytes(b, graphValueInfo, v)
	}
	return b
}

func parseInto[T any](to *[]*T, message []byte, parse func(*T, []byte) error) error {
	v := new(T)
	if err := parse(v, message); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}
