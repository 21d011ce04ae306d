package gallery

import "golang.org/x/sys/cpu"

// assembled are the kernels written in assembly that work on this CPU.
func assembled() []kernel {
	if !cpu.ARM64.HasASIMDDP {
		return nil
	}
	return []kernel{{
		name:        "neon-dotprod",
		offset:      0,
		pack:        packBytes,
		packedBytes: groupDims,
		one:         func(a *scanArgs) { scanWith(dotNEON, a, 1) },
		eight:       func(a *scanArgs) { scanWith(dotNEON, a, lanes) },
		alone:       lanes/2 - 1,
	}}
}

// dotNEON computes a block's sums with the dot product instructions of ARMv8.2.
func dotNEON(sums *blockSums, block, codes []byte, groups, width int) {
	if width == 1 {
		dotOneNEON(sums, block, codes, groups)
		return
	}
	dotEightNEON(sums, block, codes, groups)
}

//go:noescape
func dotOneNEON(sums *blockSums, block, codes []byte, groups int)

//go:noescape
func dotEightNEON(sums *blockSums, block, codes []byte, groups int)
