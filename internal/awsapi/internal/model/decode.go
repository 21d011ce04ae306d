package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// Decode reads the body of a request for an operation into a pointer to its input struct and checks it.
//
// Errors are [*SerializationError] for a body that is no JSON or has other types than the shape, [*ValidationError] for
// members that are missing or break a constraint; any other error means that the caller is wrong. An empty body is an empty
// object, a member that is null is absent, and members that the shape does not have are ignored. Names are case-sensitive,
// and a known member that stands there twice is refused, because who reads it might mean either.
func Decode(operation string, body []byte, into any) error {
	op, err := supported(operation)
	if err != nil {
		return err
	}
	dst, err := structOf(op.Input, into)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	violations, err := read(body, op.Input, dst, false)
	if err != nil {
		return err
	}
	if len(violations) > 0 {
		return &ValidationError{Violations: violations}
	}
	return nil
}

// CheckOutput holds the body of an operation's response against its shape, for tests: an error says which member is not of
// the shape, null, of another type, or breaks a constraint. An empty body is an empty object.
//
// The fewest entries of a list are not checked: Rekognition itself answers DeleteFaces with an empty list of DeletedFaces,
// whose shape, which requests share, asks for one.
func CheckOutput(operation string, body []byte) error {
	op, err := supported(operation)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return nil
	}
	dst := reflect.ValueOf(op.newOutput()).Elem()
	violations, err := read(body, op.Output, dst, true)
	if err != nil {
		return fmt.Errorf("response of %s: %w", operation, err)
	}
	if len(violations) > 0 {
		return fmt.Errorf("response of %s: %w", operation, &ValidationError{Violations: violations})
	}
	return nil
}

// structOf is what a pointer to the Go struct of a shape points to.
func structOf(s *Shape, into any) (reflect.Value, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem().Name() != s.Name {
		return reflect.Value{}, fmt.Errorf("decode %s into a %T", s.Name, into)
	}
	return v.Elem(), nil
}

// read checks the syntax of the whole body first, so that the walk after it meets no surprises: no trailing data, no
// nesting deeper than encoding/json allows, no bytes that are not UTF-8.
func read(body []byte, s *Shape, dst reflect.Value, strict bool) ([]Violation, error) {
	if !utf8.Valid(body) {
		return nil, serialization("the body is not UTF-8")
	}
	if !json.Valid(body) {
		var raw json.RawMessage
		return nil, serialization("the body is not valid JSON: %v", json.Unmarshal(body, &raw))
	}
	r := &reader{tokens: json.NewDecoder(bytes.NewReader(body)), strict: strict}
	r.tokens.UseNumber()
	token, err := r.next()
	if err != nil {
		return nil, err
	}
	return r.structure(token, s, dst, "")
}
