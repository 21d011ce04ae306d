package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// object is a JSON object with its members as they stand there. Unlike encoding/json's reading into a struct, names count
// to the letter and none may be there twice: in a policy, who reads it must not be able to mean the other one.
type object map[string]json.RawMessage

func readObject(raw []byte) (object, error) {
	switch {
	case !utf8.Valid(raw):
		return nil, errors.New("it is not UTF-8")
	case !json.Valid(raw):
		var value json.RawMessage
		return nil, fmt.Errorf("it is not JSON: %w", json.Unmarshal(raw, &value))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("there must be an object in braces and not %s", excerpt(raw))
	}
	o := object{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a name: %w", err)
		}
		name, _ := token.(string) // the syntax has been checked, so a name it is
		if o.has(name) {
			return nil, fmt.Errorf("%q is there twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		o[name] = value
	}
	return o, nil
}

func (o object) has(name string) bool {
	_, there := o[name]
	return there
}

// allow wants no other members than these.
func (o object) allow(names ...string) error {
	unknown := make([]string, 0, len(o))
	for name := range o {
		if !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown) // the same sentence every time
	for _, name := range names {
		if strings.EqualFold(name, unknown[0]) {
			return fmt.Errorf("%q is not known; write %q", unknown[0], name)
		}
	}
	return fmt.Errorf("%q is not known; there may be %s", unknown[0], strings.Join(names, ", "))
}

// text is a member that must be a string.
func (o object) text(name string) (string, error) {
	var s *string // null is no string
	if !o.has(name) {
		return "", fmt.Errorf("%s is missing", name)
	}
	if err := json.Unmarshal(o[name], &s); err != nil || s == nil {
		return "", fmt.Errorf("%s must be a string and not %s", name, excerpt(o[name]))
	}
	return *s, nil
}

// texts is a member that must be a string, or a list of at least one.
func (o object) texts(name string) ([]string, error) {
	items, err := o.items(name)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		if out[i], err = (object{name: item}).text(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// objects is a member that must be an object, or a list of at least one and at most that many.
func (o object) objects(name string, most int) ([]object, error) {
	items, err := o.items(name)
	if err != nil {
		return nil, err
	}
	if len(items) > most {
		return nil, fmt.Errorf("%s has %d entries; at most %d are allowed", name, len(items), most)
	}
	out := make([]object, len(items))
	for i, item := range items {
		if out[i], err = readObject(item); err != nil {
			return nil, fmt.Errorf("%s %d: %w", strings.ToLower(name), i+1, err)
		}
	}
	return out, nil
}

// items is a member as a list; what is no list is one of one.
func (o object) items(name string) ([]json.RawMessage, error) {
	raw, there := o[name]
	if !there {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%s is an empty list", name)
	}
	return items, nil
}

// excerpt is the beginning of a value, for messages.
func excerpt(raw []byte) string {
	const most = 40 // characters, enough to find the place
	runes := []rune(string(raw))
	if len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return string(raw)
}
