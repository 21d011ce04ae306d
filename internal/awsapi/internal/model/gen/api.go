package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// api is what is read of the service model.
type api struct {
	Operations map[string]operation
	Shapes     map[string]shape
}

type operation struct {
	Input, Output reference
	Errors        []reference
}

type reference struct{ Shape string }

type shape struct {
	Type       string
	Members    members
	Required   []string
	Member     reference
	Key, Value reference
	Min, Max   *json.Number
	Pattern    string
	Enum       []string
}

// members are those of a structure in the order of the service model, which is the order of validation messages.
type members []member

type member struct{ Name, Shape string }

// UnmarshalJSON reads an object and keeps the order of its members.
func (m *members) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil { // the opening brace
		return fmt.Errorf("members: %w", err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("members: %w", err)
		}
		var ref reference
		if err := d.Decode(&ref); err != nil {
			return fmt.Errorf("member %v: %w", name, err)
		}
		*m = append(*m, member{Name: fmt.Sprint(name), Shape: ref.Shape})
	}
	return nil
}

// reachable are the names of all shapes that the operations need, sorted.
func (a *api) reachable(operations []string) ([]string, error) {
	seen := map[string]bool{}
	var visit func(name string) error
	visit = func(name string) error {
		if name == "" || seen[name] {
			return nil
		}
		s, known := a.Shapes[name]
		if !known {
			return fmt.Errorf("no shape %q", name)
		}
		seen[name] = true
		for _, next := range append(s.Members, member{Shape: s.Member.Shape}, member{Shape: s.Key.Shape}, member{Shape: s.Value.Shape}) {
			if err := visit(next.Shape); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range operations {
		op, known := a.Operations[name]
		if !known {
			return nil, fmt.Errorf("no operation %q", name)
		}
		for _, ref := range []reference{op.Input, op.Output} {
			if err := visit(ref.Shape); err != nil {
				return nil, err
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}
