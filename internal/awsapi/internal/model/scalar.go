package model

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scalar reads a value that is no list, map or structure into dst, and gives what its constraints look at.
func scalar(token json.Token, s *Shape, dst reflect.Value, path string) (value, error) {
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	switch t := token.(type) {
	case string:
		switch s.Kind { //nolint:exhaustive // all others are a mismatch
		case String:
			dst.SetString(t)
			return textValue(t), nil
		case Blob:
			return blob(t, s, dst, path)
		}
	case bool:
		if s.Kind == Boolean {
			dst.SetBool(t)
			return value{shown: strconv.FormatBool(t)}, nil
		}
	case json.Number:
		switch s.Kind { //nolint:exhaustive // all others are a mismatch
		case Integer, Long:
			return whole(t.String(), s, dst, path)
		case Float, Timestamp:
			return fraction(t.String(), s, dst, path)
		}
	}
	return value{}, mismatch(token, s, path)
}

// blob reads base64. What is over the shape's bound is counted and not decoded.
func blob(text string, s *Shape, dst reflect.Value, path string) (value, error) {
	size := int64(base64.StdEncoding.DecodedLen(len(text)) - (len(text) - len(strings.TrimRight(text, "="))))
	if s.Max != nil && size > *s.Max {
		return blobValue(size), nil
	}
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return value{}, serialization("'%s' is not base64: %v", path, err)
	}
	dst.SetBytes(content)
	return blobValue(int64(len(content))), nil
}

// blobValue is shown as AWS shows it, which tells the size.
func blobValue(size int64) value {
	return value{size: size, shown: fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]", size, size)}
}

// whole reads an integer, also one that is written as 5.0 or 5e0.
func whole(text string, s *Shape, dst reflect.Value, path string) (value, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, floatErr := strconv.ParseFloat(text, 64)
		if floatErr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 { // beyond 2^53 a float64 is no longer every integer
			return value{}, serialization("%s cannot be converted to %s at '%s'", shorten(text), s.Kind, path)
		}
		n = int64(f)
	}
	if dst.OverflowInt(n) {
		return value{}, serialization("%s cannot be converted to %s at '%s'", shorten(text), s.Kind, path)
	}
	dst.SetInt(n)
	return value{number: float64(n), shown: strconv.FormatInt(n, 10)}, nil
}

// fraction reads a number. It is judged as what it is kept as: 100.000001 is 100 in 32 bits.
func fraction(text string, s *Shape, dst reflect.Value, path string) (value, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || s.Kind == Float && math.IsInf(float64(float32(f)), 0) {
		return value{}, serialization("%s cannot be converted to %s at '%s'", shorten(text), s.Kind, path)
	}
	if s.Kind == Float {
		f = float64(float32(f))
	}
	dst.SetFloat(f)
	return value{number: f, shown: javaFloat(f)}, nil
}

// javaFloat is a number as AWS's messages show it: always with a fraction.
func javaFloat(f float64) string {
	text := strconv.FormatFloat(f, 'g', -1, 32)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// mismatch tells of a value of another type.
func mismatch(token json.Token, s *Shape, path string) *SerializationError {
	where := ""
	if path != "" {
		where = " at '" + path + "'"
	}
	switch t := token.(type) {
	case string:
		return serialization("STRING_VALUE cannot be converted to %s%s", s.Kind, where)
	case json.Number:
		return serialization("NUMBER_VALUE cannot be converted to %s%s", s.Kind, where)
	case bool:
		return serialization("%s_VALUE cannot be converted to %s%s", strings.ToUpper(strconv.FormatBool(t)), s.Kind, where)
	case json.Delim:
		if t == '[' {
			return serialization("Start of list found where not expected%s", where)
		}
		return serialization("Start of structure or map found where not expected%s", where)
	default:
		return serialization("NULL_VALUE cannot be converted to %s%s", s.Kind, where)
	}
}

// join is the path to a member: AWS's lower camel case, where only the first letter becomes small (sNSTopicArn).
func join(path, name string) string {
	r, n := utf8.DecodeRuneInString(name)
	name = string(unicode.ToLower(r)) + name[n:]
	if path == "" {
		return name
	}
	return path + "." + name
}
