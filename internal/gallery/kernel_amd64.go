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
		})
	}
	if cpu.X86.HasAVX2 {
		found = append(found, kernel{
			name:        "avx2",
			offset:      codeOffset,
			pack:        packWords,
			packedBytes: 2 * groupDims,
			one:         scanOneAVX2,
			eight:       scanEightAVX2,
		})
	}
	return found
}

// packWords lays the codes out for the AVX2 kernels as 16-bit integers: [group][probe][dimension 0, 2, 1, 3].
func packWords(dst []byte, codes []int8, lane, width int) {
	for i, c := range codes {
		group, dim := i/groupDims, i%groupDims
		word := (group*width+lane)*groupDims + [groupDims]int{0, 2, 1, 3}[dim]
		binary.LittleEndian.PutUint16(dst[2*word:], uint16(c)) //nolint:gosec // sign-extended, the same bits
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
