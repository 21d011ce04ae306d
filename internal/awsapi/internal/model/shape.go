package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Kind is the type of a shape.
type Kind uint8

// The kinds of shapes.
const (
	Structure Kind = iota
	List
	Map
	String
	Blob
	Boolean
	Integer // 32 bits
	Long    // 64 bits
	Float   // 32 bits
	Timestamp
)

// String is the kind as error messages name it.
func (k Kind) String() string {
	switch k {
	case Structure:
		return "Structure"
	case List:
		return "List"
	case Map:
		return "Map"
	case String:
		return "String"
	case Blob:
		return "ByteBuffer"
	case Boolean:
		return "Boolean"
	case Integer:
		return "Integer"
	case Long:
		return "Long"
	case Float:
		return "Float"
	case Timestamp:
		return "Timestamp"
	default:
		return "Unknown"
	}
}

// Shape says what may stand in one place of a message. Shapes are read-only.
type Shape struct {
	Name string
	Kind Kind
	// Members are those of a structure, in the order of the service model, which is that of the Go struct's fields too.
	Members []Member
	// Key is that of a map; Element the map's value or the list's member.
	Key, Element *Shape
	// Min and Max bound a number's value, a string's characters, a blob's bytes, a list's or map's entries; inclusive, nil
	// for no bound.
	Min, Max *int64
	// Pattern is nil for a shape without one.
	Pattern *Pattern
	// Enum are the values allowed; nil for any.
	Enum []string
}

// Member is a member of a structure.
type Member struct {
	Name     string
	Shape    *Shape
	Required bool
}

// member is the index of the member of a name; -1 if there is none. Names are case-sensitive.
func (s *Shape) member(name string) int {
	return slices.IndexFunc(s.Members, func(m Member) bool { return m.Name == name })
}

// Pattern is a regular expression that the whole of a string has to match.
type Pattern struct {
	// Text is the expression as the service model and its error messages have it: Java's syntax.
	Text string
	// refused is what the string must not begin with, which the expression says by looking ahead; empty for nothing.
	refused string
	match   func() *regexp.Regexp
}

// newPattern is an expression that Java and Go read alike.
func newPattern(text string) *Pattern { return newTranslation(text, text, "") }

// newTranslation is an expression that Go's regexp has to be told otherwise. It is compiled when it is first needed: most
// programs of this module never need it.
func newTranslation(text, re2, refused string) *Pattern {
	return &Pattern{Text: text, refused: refused, match: sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\A(?:` + re2 + `)\z`)
	})}
}

// Match says whether the whole of s matches.
func (p *Pattern) Match(s string) bool {
	if p.refused != "" && strings.HasPrefix(s, p.refused) {
		return false
	}
	return p.match().MatchString(s)
}

// Operation is what the service model says of one operation.
type Operation struct {
	Name string
	// Errors are the names of the exceptions that the operation is declared to answer with.
	Errors []string
	// Input and Output are nil for operations that are not supported.
	Input, Output *Shape
	newOutput     func() any
}

// Supported says whether the shapes of the operation are known.
func (o *Operation) Supported() bool { return o.Input != nil }

// Declares says whether the operation may answer with the exception of this name.
func (o *Operation) Declares(exception string) bool {
	return slices.Contains(o.Errors, exception)
}

// Lookup finds an operation: one of the service model by its name, one beyond it by its whole target, as in
// "SpotterService.ListJobs".
func Lookup(name string) (*Operation, bool) {
	for _, table := range [][]Operation{operations[:], beyond[:]} {
		for i := range table {
			if table[i].Name == name {
				return &table[i], true
			}
		}
	}
	return nil, false
}

// Names are those of all operations of the service model, supported or not, in alphabetical order.
func Names() []string {
	names := make([]string, len(operations))
	for i := range operations {
		names[i] = operations[i].Name
	}
	return names
}

// supported is an operation whose shapes are known.
func supported(name string) (*Operation, error) {
	op, known := Lookup(name)
	if !known || !op.Supported() {
		return nil, fmt.Errorf("the shapes of operation %q are not known", name)
	}
	return op, nil
}
