package model

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// reader walks a body along a shape, fills the shape's Go value and collects what is wrong. The body's syntax is known to
// be good.
type reader struct {
	tokens *json.Decoder
	// strict is for responses: nothing may be there that the shape does not have, and nothing may be null.
	strict bool
}

func (r *reader) next() (json.Token, error) {
	token, err := r.tokens.Token()
	if err != nil {
		return nil, serialization("the body is not valid JSON: %v", err)
	}
	return token, nil
}

// value reads what begins with token, which is not null.
func (r *reader) value(token json.Token, s *Shape, dst reflect.Value, path string) ([]Violation, error) {
	switch s.Kind {
	case Structure:
		dst.Set(reflect.New(dst.Type().Elem()))
		return r.structure(token, s, dst.Elem(), path)
	case List:
		return r.list(token, s, dst, path)
	case Map:
		return r.object(token, s, dst, path)
	default:
		v, err := scalar(token, s, dst, path)
		if err != nil {
			return nil, err
		}
		return s.broken(v, path), nil
	}
}

// structure reads an object. Violations are in the order of the members, however they are ordered in the body.
func (r *reader) structure(token json.Token, s *Shape, dst reflect.Value, path string) ([]Violation, error) {
	if token != json.Delim('{') {
		return nil, mismatch(token, s, path)
	}
	seen, given := make([]bool, len(s.Members)), make([]bool, len(s.Members))
	found := make([][]Violation, len(s.Members))
	for r.tokens.More() {
		i, token, err := r.member(s, path)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			continue
		}
		m := &s.Members[i]
		at := join(path, m.Name)
		if seen[i] {
			return nil, serialization("'%s' stands there twice", at)
		}
		seen[i], given[i] = true, token != nil
		if !given[i] {
			continue
		}
		if found[i], err = r.value(token, m.Shape, dst.Field(i), at); err != nil {
			return nil, err
		}
	}
	if _, err := r.next(); err != nil { // the closing brace
		return nil, err
	}
	for i, m := range s.Members {
		if m.Required && !given[i] {
			found[i] = []Violation{absent(join(path, m.Name))}
		}
	}
	return slices.Concat(found...), nil
}

// member reads the name of a member and the first token of its value. One that the shape does not have is skipped and
// gives -1.
func (r *reader) member(s *Shape, path string) (int, json.Token, error) {
	name, err := r.next()
	if err != nil {
		return 0, nil, err
	}
	token, err := r.next()
	if err != nil {
		return 0, nil, err
	}
	i := s.member(fmt.Sprint(name))
	switch {
	case i < 0 && r.strict:
		return 0, nil, serialization("%s has no member '%s'", s.Name, join(path, fmt.Sprint(name)))
	case i >= 0 && token == nil && r.strict:
		return 0, nil, serialization("'%s' is null and not absent", join(path, fmt.Sprint(name)))
	case i < 0:
		return i, nil, r.skip(token)
	default:
		return i, token, nil
	}
}

// skip reads the rest of a value, however deep it is, without keeping it.
func (r *reader) skip(token json.Token) error {
	depth := 0
	for {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if token, err = r.next(); err != nil {
			return err
		}
	}
}

// skipNext reads a value without looking at it.
func (r *reader) skipNext() error {
	token, err := r.next()
	if err != nil {
		return err
	}
	return r.skip(token)
}
