package gallery

import (
	"encoding/binary"

	"golang.org/x/sys/cpu"
)

// assembled are the kernels written in assembly that work on this CPU (and whose registers the system saves, which
// package cpu checks too), the fastest first.
func assembled() []kernel {
	var found []kernel
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI {
		found = append(found, kernel{
			name:        "avx512-vnni",
			offset:      codeOffset,
			pack:        packBytes,
			packedBytes: groupDims,
			one:         scanOneVNNI,
			eight:       scanEightVNNI,
			alone:       lanes/2 - 1,
		})
	}
	if cpu.X86.HasAVX2 {
		found = append(found, kernel{
			name:        "avx2",
			offset:      codeOffset,
			pack:        packHalves,
			packedBytes: groupDims + extraBytes,
			one:         scanOneAVX2,
			eight:       scanEightAVX2,
			alone:       lanes / 2,
		})
	}
	return found
}

const (
	// maxPair is how large two neighbouring codes of a probe may be together, where their signs are the same: the largest
	// sum that VPMADDUBSW adds up in 16 bits without saturating is 255 x maxPair = 32640 < 32767.
	maxPair = 128
	// extraBytes is what an extra takes: where its group lies in a block, and four codes.
	extraBytes = 4 + groupDims
)

// packHalves lays the codes out for the AVX2 kernels: as [group][probe][4 dimensions], a byte each, and then the extras,
// {offset of a group in a block uint32, [4 dimensions] a byte each}, of up to four probes as [extra][probe]. There is room
// for one of each group and probe; those that a probe does not have are zero and add nothing.
//
// Of two codes that are too large together each is halved; the other halves are in an extra, which the kernel adds. About
// one group in 25 has one where codes are distributed as those of faces are.
func packHalves(dst []byte, codes []int8, lane, width int) (extras int) {
	groups, abreast := len(codes)/groupDims, min(width, lanes/2)
	at := dst[groups*width*groupDims:][(lane/abreast*groups*abreast+lane%abreast)*extraBytes:]
	for g := range groups {
		four := (*[groupDims]int8)(codes[g*groupDims:])
		var first, second [groupDims]int8
		first[0], first[1], second[0], second[1] = split(four[0], four[1])
		first[2], first[3], second[2], second[3] = split(four[2], four[3])
		putCodes(dst[(g*width+lane)*groupDims:], first)
		if second != [groupDims]int8{} {
			binary.LittleEndian.PutUint32(at, uint32(g*groupDims*blockFaces))
			putCodes(at[4:], second)
			at = at[min(abreast*extraBytes, len(at)):] // the last of all ends the slice
			extras++
		}
	}
	return extras
}

// split makes two pairs of codes out of one: their sum is the pair, and neither is too large.
func split(a, b int8) (a1, b1, a2, b2 int8) {
	if sum := int(a) + int(b); (a < 0) != (b < 0) || -maxPair <= sum && sum <= maxPair {
		return a, b, 0, 0
	}
	return a / 2, b / 2, a - a/2, b - b/2
}

func putCodes(dst []byte, codes [groupDims]int8) {
	for i, c := range codes {
		dst[i] = byte(c) //nolint:gosec // the same eight bits
	}
}

// scanOneVNNI needs AVX-512 F and VNNI.
//
//go:noescape
func scanOneVNNI(a *scanArgs)

// scanEightVNNI needs AVX-512 F and VNNI.
//
//go:noescape
func scanEightVNNI(a *scanArgs)

// scanOneAVX2 needs AVX2.
//
//go:noescape
func scanOneAVX2(a *scanArgs)

// scanEightAVX2 needs AVX2.
//
//go:noescape
func scanEightAVX2(a *scanArgs)
