package model

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// constraint is one thing that a shape demands: AWS's sentence for it, and whether a value meets it.
type constraint struct {
	sentence string
	holds    func(value) bool
}

// value is a scalar, or the size of a list, map or blob.
type value struct {
	text   string  // of a string
	size   int64   // characters, bytes or entries
	number float64 // of a number
	shown  string  // as a message repeats it
}

// textValue is that of a string. Its length is counted in characters, whatever their bytes.
func textValue(s string) value {
	return value{text: s, size: int64(utf8.RuneCountInString(s)), shown: shorten(s)}
}

// constraints of a shape, in the order in which AWS lists them.
func (s *Shape) constraints() []constraint {
	var out []constraint
	what, measure := "length", func(v value) float64 { return float64(v.size) }
	if s.Kind == Integer || s.Kind == Long || s.Kind == Float {
		what, measure = "value", func(v value) float64 { return v.number }
	}
	if s.Max != nil {
		limit := float64(*s.Max)
		out = append(out, constraint{bound(what, "less", *s.Max), func(v value) bool { return measure(v) <= limit }})
	}
	if s.Min != nil {
		limit := float64(*s.Min)
		out = append(out, constraint{bound(what, "greater", *s.Min), func(v value) bool { return measure(v) >= limit }})
	}
	if s.Pattern != nil {
		sentence := "Member must satisfy regular expression pattern: " + s.Pattern.Text
		out = append(out, constraint{sentence, func(v value) bool { return s.Pattern.Match(v.text) }})
	}
	if s.Enum != nil {
		sentence := "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"
		out = append(out, constraint{sentence, func(v value) bool { return slices.Contains(s.Enum, v.text) }})
	}
	return out
}

func bound(what, than string, limit int64) string {
	return "Member must have " + what + " " + than + " than or equal to " + strconv.FormatInt(limit, 10)
}

// broken is every constraint of the shape that the value does not meet.
func (s *Shape) broken(v value, path string) []Violation {
	var out []Violation
	for _, c := range s.constraints() {
		if !c.holds(v) {
			out = append(out, Violation{Value: v.shown, Path: path, Constraint: c.sentence})
		}
	}
	return out
}

// meets says whether the value meets all constraints of the shape.
func (s *Shape) meets(v value) bool {
	return !slices.ContainsFunc(s.constraints(), func(c constraint) bool { return !c.holds(v) })
}

// list is all the sentences of a shape, as AWS gives them for the elements of a list or map: all of them, whichever broke.
func (s *Shape) list() string {
	all := s.constraints()
	sentences := make([]string, len(all))
	for i, c := range all {
		sentences[i] = c.sentence
	}
	return "[" + strings.Join(sentences, ", ") + "]"
}
