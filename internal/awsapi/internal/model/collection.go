package model

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// maxEntries bounds lists and maps of shapes that have no bound of their own: more than any request means (the longest
// bound in the service model is 4096), and few enough to be kept.
const maxEntries = 10_000

// entries is what is found out about a list or map while it is read. Scalars in it are judged together, as AWS does: one
// violation tells of all of them.
type entries struct {
	n     int64
	shown []string
	// bad is whether an element, badKey whether a key breaks a constraint of its shape.
	bad, badKey bool
	// null is whether there was a null already: there may be a million, and the first one says it.
	null  bool
	found []Violation
}

// list reads an array.
func (r *reader) list(token json.Token, s *Shape, dst reflect.Value, path string) ([]Violation, error) {
	if token != json.Delim('[') {
		return nil, mismatch(token, s, path)
	}
	var e entries
	out := reflect.MakeSlice(dst.Type(), 0, 0)
	for ; r.tokens.More(); e.n++ {
		if e.n >= s.most() {
			if err := r.skipNext(); err != nil {
				return nil, err
			}
			continue
		}
		element := reflect.New(dst.Type().Elem()).Elem()
		shown, err := r.element(s.Element, element, join(path, strconv.FormatInt(e.n+1, 10)+".member"), &e)
		if err != nil {
			return nil, err
		}
		e.show(shown)
		out = reflect.Append(out, element)
	}
	dst.Set(out)
	return r.close(s, &e, path, "["+strings.Join(e.shown, ", ")+"]")
}

// object reads an object as a map.
func (r *reader) object(token json.Token, s *Shape, dst reflect.Value, path string) ([]Violation, error) {
	if token != json.Delim('{') {
		return nil, mismatch(token, s, path)
	}
	var e entries
	dst.Set(reflect.MakeMap(dst.Type()))
	for ; r.tokens.More(); e.n++ {
		name, err := r.next()
		if err != nil {
			return nil, err
		}
		if e.n >= s.most() {
			if err = r.skipNext(); err != nil {
				return nil, err
			}
			continue
		}
		key := textValue(fmt.Sprint(name))
		at := join(path, key.shown+".member")
		if dst.MapIndex(reflect.ValueOf(key.text)).IsValid() {
			return nil, serialization("'%s' stands there twice", at)
		}
		element := reflect.New(dst.Type().Elem()).Elem()
		shown, err := r.element(s.Element, element, at, &e)
		if err != nil {
			return nil, err
		}
		e.badKey = e.badKey || !s.Key.meets(key)
		e.show(key.shown + "=" + shown)
		dst.SetMapIndex(reflect.ValueOf(key.text), element)
	}
	return r.close(s, &e, path, "{"+strings.Join(e.shown, ", ")+"}")
}

// element reads one element of a list or map, and gives it as messages repeat it.
func (r *reader) element(s *Shape, dst reflect.Value, path string, e *entries) (string, error) {
	token, err := r.next()
	if err != nil {
		return "", err
	}
	switch {
	case token == nil && e.null:
		return "null", nil
	case token == nil:
		e.null, e.found = true, append(e.found, absent(path))
		return "null", nil
	case s.Kind == Structure:
		inner, err := r.structure(token, s, dst, path)
		e.found = append(e.found, inner...)
		return s.Name, err
	default:
		v, err := scalar(token, s, dst, path)
		e.bad = e.bad || err == nil && !s.meets(v)
		return v.shown, err
	}
}

// close reads the closing bracket and sums up.
func (r *reader) close(s *Shape, e *entries, path, shown string) ([]Violation, error) {
	if _, err := r.next(); err != nil {
		return nil, err
	}
	if s.Max == nil && e.n > maxEntries {
		return nil, serialization("'%s' has more than %d entries", path, maxEntries)
	}
	shown = shorten(shown)
	var found []Violation
	if !r.strict || s.Min == nil || e.n > 0 { // see CheckOutput
		found = s.broken(value{size: e.n, shown: shown}, path)
	}
	if e.badKey {
		found = append(found, Violation{Value: shown, Path: path, Constraint: "Map keys must satisfy constraint: " + s.Key.list()})
	}
	if e.bad {
		what := "Member"
		if s.Kind == Map {
			what = "Map value"
		}
		found = append(found, Violation{Value: shown, Path: path, Constraint: what + " must satisfy constraint: " + s.Element.list()})
	}
	return append(found, e.found...), nil
}

// show keeps what a message may repeat of an entry.
func (e *entries) show(entry string) {
	if len(e.shown) <= longestValue { // each is a character at least, so that more are cut anyway
		e.shown = append(e.shown, entry)
	}
}

// most is how many entries are looked at and kept. There being more is wrong already, whatever they are, so these are only
// counted.
func (s *Shape) most() int64 {
	if s.Max != nil {
		return *s.Max
	}
	return maxEntries
}
