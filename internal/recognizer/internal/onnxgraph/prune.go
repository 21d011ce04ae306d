package onnxgraph

import (
	"fmt"
	"slices"
)

// Cut makes these ports the graph's outputs and drops every node, constant and input that they do not need, and the
// hints about values between nodes.
func (g *Graph) Cut(outputs ...*Port) error {
	needed := map[string]bool{}
	for _, p := range outputs {
		needed[p.Name] = true
	}
	made := map[string]bool{}
	var kept []*Node
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(o string) bool { return needed[o] }) {
			continue
		}
		kept = append(kept, n)
		for _, o := range n.Outputs {
			made[o] = true
		}
		for _, i := range n.Inputs {
			needed[i] = true
		}
	}
	for _, p := range outputs {
		if !made[p.Name] {
			return fmt.Errorf("graph %q makes no value %q", g.Name, p.Name)
		}
	}
	slices.Reverse(kept)
	g.Nodes, g.Outputs = kept, outputs
	g.dropUnused()
	return nil
}

// dropUnused drops constants and inputs that no node reads.
func (g *Graph) dropUnused() {
	used := map[string]bool{}
	for _, n := range g.Nodes {
		for _, i := range n.Inputs {
			used[i] = true
		}
	}
	g.Initializers = slices.DeleteFunc(g.Initializers, func(t *Tensor) bool { return !used[t.Name] })
	g.Inputs = slices.DeleteFunc(g.Inputs, func(p *Port) bool { return !used[p.Name] })
	g.Intermediate = nil
}
