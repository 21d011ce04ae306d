package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// writer collects the text of one file.
type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.Buffer, format+"\n", args...) }

// structs writes a Go type for every structure and every list of values.
func (w *writer) structs(a *api, names []string) error {
	for _, name := range names {
		s := a.Shapes[name]
		switch {
		case s.Type == "structure":
			if err := w.structure(a, name, s); err != nil {
				return err
			}
		case len(s.Enum) > 0:
			w.enum(name, s.Enum)
		}
	}
	return nil
}

func (w *writer) structure(a *api, name string, s shape) error {
	w.line("// %s is the shape of this name.\ntype %s struct {", name, name)
	for _, m := range s.Members {
		typ, err := a.goType(m.Shape, true)
		if err != nil {
			return fmt.Errorf("member %s of %s: %w", m.Name, name, err)
		}
		w.line("%s %s `json:\",omitzero\"`", m.Name, typ)
	}
	w.line("}\n")
	return nil
}

func (w *writer) enum(name string, values []string) {
	w.line("// %s is the shape of this name.\ntype %s string\n\n// The values of [%s].\nconst (", name, name, name)
	for _, v := range values {
		w.line("%s%s %s = %q", name, camel(v), name, v)
	}
	w.line(")\n")
}

// goType is the Go type of a shape. Optional scalars and structures are pointers: what is nil is absent.
func (a *api) goType(name string, optional bool) (string, error) {
	s := a.Shapes[name]
	scalar := map[string]string{
		"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "timestamp": "EpochSeconds", "structure": name,
	}[s.Type]
	switch {
	case scalar != "" && optional:
		return "*" + scalar, nil
	case scalar != "":
		return scalar, nil
	case s.Type == "string" && len(s.Enum) > 0:
		return name, nil
	case s.Type == "string":
		return "string", nil
	case s.Type == "blob":
		return "[]byte", nil
	case s.Type == "list":
		element, err := a.goType(s.Member.Shape, false)
		return "[]" + element, err
	case s.Type == "map":
		value, err := a.goType(s.Value.Shape, false)
		return "map[string]" + value, err
	default:
		return "", fmt.Errorf("shape %s has the type %q, which is not known", name, s.Type)
	}
}

// shapes writes a descriptor for every shape.
func (w *writer) shapes(a *api, names []string) error {
	w.line("var (")
	for _, name := range names {
		text, err := a.descriptor(name)
		if err != nil {
			return err
		}
		w.line("%s = &Shape{%s}", variable(name), text)
	}
	w.line(")")
	return nil
}

func (a *api) descriptor(name string) (string, error) {
	s := a.Shapes[name]
	out := []string{fmt.Sprintf("Name: %q", name), "Kind: " + camel(s.Type)}
	if len(s.Members) > 0 {
		out = append(out, "Members: []Member{\n"+s.memberLines()+"}")
	}
	for _, ref := range []struct{ field, shape string }{
		{"Key", s.Key.Shape}, {"Element", s.Member.Shape + s.Value.Shape}, // a list has the one, a map the other
	} {
		if ref.shape != "" {
			out = append(out, ref.field+": "+variable(ref.shape))
		}
	}
	if s.Min != nil {
		out = append(out, fmt.Sprintf("Min: new(int64(%s))", *s.Min))
	}
	if s.Max != nil {
		out = append(out, fmt.Sprintf("Max: new(int64(%s))", *s.Max))
	}
	if s.Pattern != "" {
		re2, refused, err := translate(s.Pattern)
		if err != nil {
			return "", fmt.Errorf("shape %s: %w", name, err)
		}
		out = append(out, "Pattern: "+constructor(s.Pattern, re2, refused))
	}
	if len(s.Enum) > 0 {
		out = append(out, fmt.Sprintf("Enum: %#v", s.Enum))
	}
	return strings.Join(out, ", "), nil
}

func (s *shape) memberLines() string {
	var b strings.Builder
	for _, m := range s.Members {
		fmt.Fprintf(&b, "{Name: %q, Shape: %s", m.Name, variable(m.Shape))
		if slices.Contains(s.Required, m.Name) {
			b.WriteString(", Required: true")
		}
		b.WriteString("},\n")
	}
	return b.String()
}

// operations writes the table of all operations.
func (w *writer) operations(a *api, supported []string) error {
	w.line("var operations = [...]Operation{")
	for _, name := range slices.Sorted(maps.Keys(a.Operations)) {
		op := a.Operations[name]
		exceptions := make([]string, len(op.Errors))
		for i, e := range op.Errors {
			exceptions[i] = e.Shape
		}
		w.line("{\nName: %q, Errors: %#v,", name, exceptions)
		if slices.Contains(supported, name) {
			w.line("Input: %s, Output: %s,", variable(op.Input.Shape), variable(op.Output.Shape))
			w.line("newOutput: func() any { return new(%s) },", op.Output.Shape)
		}
		w.line("},")
	}
	w.line("}")
	return nil
}

// constructor is the call that makes a pattern.
func constructor(java, re2, refused string) string {
	if java == re2 {
		return "newPattern(" + quote(java) + ")"
	}
	return fmt.Sprintf("newTranslation(%s, %s, %q)", quote(java), quote(re2), refused)
}

func variable(shape string) string { return "shape" + shape }

// quote is a raw string where that is possible: expressions are easier to read so.
func quote(s string) string {
	if strings.Contains(s, "`") {
		return fmt.Sprintf("%q", s)
	}
	return "`" + s + "`"
}

// camel is a value of the service model as a part of a Go name: ROTATE_90 is Rotate90, eyeLeft is EyeLeft.
func camel(value string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(value, "_") {
		if word == strings.ToUpper(word) {
			word = strings.ToLower(word)
		}
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
