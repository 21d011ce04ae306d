package face

import (
	"crypto/sha256"
	"encoding/binary"
)

// Digest tells sets of enrolled faces and their owners from each other: two different ones have the same digest once in 2^64. The zero
// value is that of no faces. It follows each change of the set, since what puts a face in takes it out again, in any order. It is
// kept in databases and files: that of a set never changes. It is no protection against somebody who looks for two sets of one digest.
type Digest uint64

// Face is the digest with a face that is nobody's, where it was not in, and without it where it was.
func (d Digest) Face(id ID) Digest {
	return d ^ Digest(mix(binary.LittleEndian.Uint64(id[:8])^mix(binary.LittleEndian.Uint64(id[8:]))))
}

// Owner is the digest with a face being a user's, or without that. The face itself is beside it.
func (d Digest) Owner(id ID, user string) Digest {
	sum := sha256.Sum256(append(id[:len(id):len(id)], user...))
	return d ^ Digest(binary.LittleEndian.Uint64(sum[:]))
}

// mix makes each bit depend on all: a step of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
