package gallery

import "encoding/binary"

const (
	// lanes is how many probes a kernel scans for at once, in the batched form.
	lanes = 8
	// codeOffset is added to a code to store it: VPDPBUSD and the AVX2 kernel take unsigned bytes on one side.
	codeOffset = 128
)

// kernel is one way to scan blocks. All kernels give the same bits: the sums are integers, and the float32 operations
// after them are the same in the same order, none of them fused.
type kernel struct {
	name string
	// offset is what the kernel's sums hold too much: offset times the sum of the probe's codes.
	offset int32
	// pack writes a probe's codes into dst, which holds packed codes for width probes and is zero at first; lane says for
	// which. extras is how many groups of dimensions the kernel has to pass twice for this probe.
	pack func(dst []byte, codes []int8, lane, width int) (extras int)
	// packedBytes is what pack needs for one group of dimensions of one probe.
	packedBytes int
	// one scans for one probe, eight for [lanes] probes.
	one, eight func(*scanArgs)
	// alone is how many probes are scanned for sooner by as many calls of one than by one of eight, while the blocks are in
	// the second-level cache.
	alone int
}

// scanArgs are the arguments of a kernel. It computes for each face of each block and for each probe
//
//	approx = float32(sum of products - correction) * scale * (face's scale)
//	reach  = approx + norm * (face's residual)
//
// and stores approx, and whether reach >= threshold as a bit. The assembly reads the fields by name (go_asm.h), of a
// slice the address of its first element, and trusts count and groups.
type scanArgs struct {
	blocks []byte    // count blocks, one after another
	count  int       // at least 1
	groups int       // of dimensions, a multiple of 4
	codes  []byte    // the probes' packed codes
	approx []float32 // [block][probe][16 faces], written
	masks  []uint16  // [block][probe], bit i is face i, written

	extras     passes // the most that pack says of a probe
	correction [lanes]int32
	scale      [lanes]float32
	norm       [lanes]float32
	threshold  [lanes]float32

	sums blockSums // scratch of the kernels that finish in Go
}

// passes has a value for the first four probes and one for the others: a kernel may do half of the lanes at a time.
type passes [2]int64

// raise makes the value for a probe at least n.
func (p *passes) raise(lane, n int) { p[lane/(lanes/2)] = max(p[lane/(lanes/2)], int64(n)) }

// Kernels names the ways to scan that work on this CPU, the fastest first. [New] takes the first, unless [WithKernel]
// names another. The answers are the same.
func Kernels() []string {
	all := kernels()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}

// kernels are those that work on this CPU, the fastest first.
func kernels() []kernel {
	return append(assembled(), kernel{
		name:        "portable",
		offset:      codeOffset,
		pack:        packBytes,
		packedBytes: groupDims,
		one:         func(a *scanArgs) { scanWith(dotPortable, a, 1) },
		eight:       func(a *scanArgs) { scanWith(dotPortable, a, lanes) },
		alone:       lanes - 1,
	})
}

// packBytes lays the codes out as [group][probe][4 dimensions], a byte each.
func packBytes(dst []byte, codes []int8, lane, width int) (extras int) {
	for i, c := range codes {
		group, dim := i/groupDims, i%groupDims
		dst[(group*width+lane)*groupDims+dim] = byte(c) //nolint:gosec // the same eight bits
	}
	return 0
}

// blockSums are the integer sums of one block: [probe][16 faces].
type blockSums [lanes * blockFaces]int32

// scanWith scans with a function that computes a block's sums; the rest is done in Go.
func scanWith(dot func(sums *blockSums, block, codes []byte, groups, width int), a *scanArgs, width int) {
	blockBytes := a.groups*groupDims*blockFaces + metaBytes
	for b := range a.count {
		block := a.blocks[b*blockBytes : (b+1)*blockBytes]
		dot(&a.sums, block, a.codes, a.groups, width)
		for p := range width {
			at := b*width + p
			a.masks[at] = a.finish(p, (*[blockFaces]int32)(a.sums[p*blockFaces:]), block,
				(*[blockFaces]float32)(a.approx[at*blockFaces:]))
		}
	}
}

// finish turns the sums of one block and one probe into approximate scores and a mask. The conversions to float32 are
// there to keep the compiler from fusing a multiplication with the addition after it.
func (a *scanArgs) finish(p int, sums *[blockFaces]int32, block []byte, approx *[blockFaces]float32) uint16 {
	scales, residuals := meta(block)
	var mask uint16
	for f, sum := range sums {
		score := float32(float32(float32(sum-a.correction[p])*a.scale[p]) * scales[f])
		approx[f] = score
		if score+float32(residuals[f]*a.norm[p]) >= a.threshold[p] {
			mask |= 1 << f
		}
	}
	return mask
}

// dotPortable computes a block's sums in plain Go.
func dotPortable(sums *blockSums, block, codes []byte, groups, width int) {
	const step = groupDims * blockFaces
	for p := range width {
		var acc [blockFaces]int32
		for g := range groups {
			q := binary.LittleEndian.Uint32(codes[(g*width+p)*groupDims:])
			q0, q1, q2, q3 := signed(q), signed(q>>8), signed(q>>16), signed(q>>24)
			x := (*[step]byte)(block[g*step:])
			for f := range acc {
				acc[f] += q0*int32(x[4*f]) + q1*int32(x[4*f+1]) + q2*int32(x[4*f+2]) + q3*int32(x[4*f+3])
			}
		}
		copy(sums[p*blockFaces:], acc[:])
	}
}

// signed is the lowest byte as the signed integer that it was packed from.
func signed(packed uint32) int32 { return int32(int8(packed)) } //nolint:gosec // the same eight bits
