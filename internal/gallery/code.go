package gallery

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// A code is a face as a gallery keeps it in memory, to be kept elsewhere too: a gallery that is filled with codes
// ([Gallery.AddCodes]) is ready many times sooner than one that is filled with vectors.
//
//	id        16 bytes
//	version   1 byte: 1
//	checksum  uint32, CRC-32C of all the rest
//	scale     float32
//	residual  float32
//	codes     a byte for each dimension: code + 128
//
// Numbers are little-endian. All codes of one dimension have the same length.
const (
	codeVersion  = 1
	codeChecksum = len(face.ID{}) + 1
	codeScale    = codeChecksum + 4
	codeResidual = codeScale + 4
	codeHead     = codeResidual + 4
)

// CodeSize is the length in bytes of the code of a face whose vector has dim values.
func CodeSize(dim int) int { return codeHead + dim }

// Code is the code of a face with this vector, which must be a finite unit vector: for any other one it is nil.
func Code(id face.ID, vector []float32) []byte {
	if len(vector) < 1 || len(vector) > maxDim || !isUnit(vector) {
		return nil
	}
	codes := make([]int8, len(vector))
	q := quantise(codes, vector)
	code := make([]byte, CodeSize(len(vector)))
	copy(code, id[:])
	code[len(id)] = codeVersion
	binary.LittleEndian.PutUint32(code[codeScale:], math.Float32bits(q.scale))
	binary.LittleEndian.PutUint32(code[codeResidual:], math.Float32bits(q.residual))
	store(code[codeHead:], codes)
	binary.LittleEndian.PutUint32(code[codeChecksum:], checksum(code))
	return code
}

// parsed is what a code says.
type parsed struct {
	id              face.ID
	scale, residual float32
	codes           []byte
}

// errCode is why a code is passed over.
var errCode = errors.New("code is of another version, or damaged")

// parse reads a code of the right length.
func parse(code []byte) (parsed, error) {
	p := parsed{
		id:       face.ID(code[:len(face.ID{})]),
		scale:    math.Float32frombits(binary.LittleEndian.Uint32(code[codeScale:])),
		residual: math.Float32frombits(binary.LittleEndian.Uint32(code[codeResidual:])),
		codes:    code[codeHead:],
	}
	if code[len(p.id)] != codeVersion || binary.LittleEndian.Uint32(code[codeChecksum:]) != checksum(code) {
		return parsed{}, errCode
	}
	return p, nil
}

// checksum is over all of a code but the place of the checksum itself.
func checksum(code []byte) uint32 {
	sum := crc32.Update(0, castagnoli, code[:codeChecksum])
	return crc32.Update(sum, castagnoli, code[codeScale:])
}

//nolint:gochecknoglobals // a table that never changes; most processors have an instruction for this one
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// store writes codes as the bytes that blocks hold.
func store(dst []byte, codes []int8) {
	for i, c := range codes {
		dst[i] = uint8(int16(c) + codeOffset) //nolint:gosec // within 1..255
	}
}
