package archive

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrDamaged says that something in the archive is not what was written there: SQLite notices damage to its own structure only, and
// most of a file is not that.
var ErrDamaged = errors.New("what the archive has of it is damaged: index it again, with --again")

// sealSize is how much longer bytes are when they are sealed: by a CRC-32C of them and of where they belong, little-endian.
const sealSize = 4

// seal puts a checksum after bytes: of them, and of the numbers that say where they belong.
func seal(b []byte, place ...int64) []byte {
	return binary.LittleEndian.AppendUint32(append(make([]byte, 0, len(b)+sealSize), b...), checksum(b, place))
}

// unseal gives the bytes that were sealed for this place.
func unseal(sealed []byte, place ...int64) ([]byte, error) {
	n := len(sealed) - sealSize
	if n < 0 || binary.LittleEndian.Uint32(sealed[n:]) != checksum(sealed[:n], place) {
		return nil, ErrDamaged
	}
	return sealed[:n:n], nil
}

func checksum(b []byte, place []int64) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum(b, table)
	for _, n := range place {
		sum = crc32.Update(sum, table, binary.LittleEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // any bits do
	}
	return sum
}

// What is sealed in a place; one more number of it, so that none is taken for another.
const (
	sealedData = iota
	sealedPictures
	sealedTerms
	sealedPlan
)
