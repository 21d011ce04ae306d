package onnxgraph

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// field is one field of a message: its number, wire type and, for length-delimited fields, the content in bytes; for
// the others the number in value.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	bytes  []byte
}

var errTruncated = errors.New("not a valid protobuf message")

// fields calls visit for every field of a message, in order. The bytes are a view of message.
func fields(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errTruncated
		}
		message = message[n:]
		f := field{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(message)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(message)
			f.value = uint64(v)
		case protowire.Fixed64Type:
			f.value, n = protowire.ConsumeFixed64(message)
		default:
			return fmt.Errorf("wire type %d of field %d is not used by ONNX", kind, number)
		}
		if n < 0 {
			return errTruncated
		}
		message = message[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// append writes the field as it was read.
func (f field) append(b []byte) []byte {
	b = protowire.AppendTag(b, f.number, f.kind)
	switch f.kind {
	case protowire.BytesType:
		return protowire.AppendBytes(b, f.bytes)
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(b, uint32(f.value)) //nolint:gosec // read from 32 bits
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(b, f.value)
	default:
		return protowire.AppendVarint(b, f.value)
	}
}

func appendFields(b []byte, rest []field) []byte {
	for _, f := range rest {
		b = f.append(b)
	}
	return b
}

func appendBytes(b []byte, number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), content)
}

func appendString(b []byte, number protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
}

func appendInt(b []byte, number protowire.Number, v int64) []byte {
	//nolint:gosec // protobuf writes negative numbers as their 64-bit two's complement
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), uint64(v))
}

// ints reads a repeated integer field that may be packed or not.
func (f field) ints(to []int64) ([]int64, error) {
	if f.kind == protowire.VarintType {
		return append(to, int64(f.value)), nil //nolint:gosec // two's complement, see appendInt
	}
	rest := f.bytes
	for len(rest) > 0 {
		v, n := protowire.ConsumeVarint(rest)
		if n < 0 {
			return nil, errTruncated
		}
		to, rest = append(to, int64(v)), rest[n:] //nolint:gosec // two's complement, see appendInt
	}
	return to, nil
}
