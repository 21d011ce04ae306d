#include "go_asm.h"
#include "textflag.h"

// Kernels for AVX2. A YMM register holds four dimensions of eight faces as unsigned bytes, half a row of a block.
// VPMADDUBSW would multiply them with the probe's signed bytes, but adds pairs of products in 16 bits with saturation
// (255 x 127 x 2 > 32767). So the bytes are widened in place: the even ones (dimensions 0 and 2) by a mask, the odd ones
// (1 and 3) by a shift, and VPMADDWD multiplies 16-bit integers into exact 32-bit sums (255 x 127 x 2 < 2^31, and over
// all dimensions 4096 x 255 x 127 < 2^31). A face's four products end in its own 32 bits, so nothing is summed across.
// The probe's codes are 16-bit integers, in the order 0, 2, 1, 3 in each group.
//
// Registers of both kernels:
//	DI      arguments
//	SI      the block's next codes
//	R12     the block's scales; its residuals lie 64 bytes further
//	CX      blocks left
//	DX      groups of a block
//	R8, AX  the probes' codes: first, next
//	BX      groups left
//	R9      next approximate scores
//	R10     next masks
//	Y15     0x00FF in every 16 bits

#define LOAD_ARGS \
	MOVQ     a+0(FP), DI             \
	MOVQ     scanArgs_blocks(DI), SI \
	MOVQ     scanArgs_count(DI), CX  \
	MOVQ     scanArgs_groups(DI), DX \
	MOVQ     scanArgs_codes(DI), R8  \
	MOVQ     scanArgs_approx(DI), R9 \
	MOVQ     scanArgs_masks(DI), R10 \
	VPCMPEQW Y15, Y15, Y15           \
	VPSRLW   $8, Y15, Y15

// FINISH turns the sums of probe p and half h of the block, in register acc, into approximate scores and eight bits of
// a mask. No operation may be fused: the bits must be those of scanArgs.finish. Comparison 13 is greater or equal,
// false for a NaN.
#define FINISH(p, h, acc) \
	VPBROADCASTD (scanArgs_correction+4*p)(DI), Y12   \
	VPSUBD       Y12, acc, acc                        \
	VCVTDQ2PS    acc, acc                             \
	VBROADCASTSS (scanArgs_scale+4*p)(DI), Y12        \
	VMULPS       Y12, acc, acc                        \
	VMULPS       (32*h)(R12), acc, acc                \
	VMOVUPS      acc, (64*p+32*h)(R9)                 \
	VBROADCASTSS (scanArgs_norm+4*p)(DI), Y12         \
	VMULPS       (64+32*h)(R12), Y12, Y12             \
	VADDPS       Y12, acc, acc                        \
	VBROADCASTSS (scanArgs_threshold+4*p)(DI), Y12    \
	VCMPPS       $13, Y12, acc, acc                   \
	VMOVMSKPS    acc, R11                             \
	MOVB         R11, (2*p+h)(R10)

// ONE_GROUP adds one group of dimensions: faces 0 to 7 into Y0 and Y2, faces 8 to 15 into Y1 and Y3.
#define ONE_GROUP(data, codes) \
	VPBROADCASTD codes(AX), Y6       \
	VPBROADCASTD (codes+4)(AX), Y7   \
	VMOVDQU      data(SI), Y4        \
	VMOVDQU      (data+32)(SI), Y5   \
	VPAND        Y15, Y4, Y8         \
	VPSRLW       $8, Y4, Y9          \
	VPAND        Y15, Y5, Y10        \
	VPSRLW       $8, Y5, Y11         \
	VPMADDWD     Y6, Y8, Y8          \
	VPMADDWD     Y7, Y9, Y9          \
	VPMADDWD     Y6, Y10, Y10        \
	VPMADDWD     Y7, Y11, Y11        \
	VPADDD       Y8, Y0, Y0          \
	VPADDD       Y9, Y2, Y2          \
	VPADDD       Y10, Y1, Y1         \
	VPADDD       Y11, Y3, Y3

// func scanOneAVX2(a *scanArgs)
TEXT ·scanOneAVX2(SB), NOSPLIT, $0-8
	LOAD_ARGS

oneBlock:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	MOVQ  R8, AX
	MOVQ  DX, BX

oneStep:
	ONE_GROUP(0, 0)
	ONE_GROUP(64, 8)
	ADDQ $128, SI
	ADDQ $16, AX
	SUBQ $2, BX
	JNZ  oneStep

	VPADDD Y2, Y0, Y0
	VPADDD Y3, Y1, Y1
	MOVQ   SI, R12
	ADDQ   $128, SI
	FINISH(0, 0, Y0)
	FINISH(0, 1, Y1)
	ADDQ   $64, R9
	ADDQ   $2, R10
	DECQ   CX
	JNZ    oneBlock
	VZEROUPPER
	RET

// PROBE adds one group of dimensions of eight faces, even bytes in Y8 and odd ones in Y9, to the sums of one probe.
#define PROBE(codes, acc) \
	VPBROADCASTD codes(AX), Y10       \
	VPBROADCASTD (codes+4)(AX), Y11   \
	VPMADDWD     Y8, Y10, Y10         \
	VPMADDWD     Y9, Y11, Y11         \
	VPADDD       Y10, acc, acc        \
	VPADDD       Y11, acc, acc

#define CLEAR_EIGHT \
	VPXOR Y0, Y0, Y0  \
	VPXOR Y1, Y1, Y1  \
	VPXOR Y2, Y2, Y2  \
	VPXOR Y3, Y3, Y3  \
	VPXOR Y4, Y4, Y4  \
	VPXOR Y5, Y5, Y5  \
	VPXOR Y6, Y6, Y6  \
	VPXOR Y7, Y7, Y7  \
	MOVQ  R8, AX      \
	MOVQ  DX, BX

// EIGHT_GROUP adds one group of dimensions of half a block to the sums of eight probes, Y0 to Y7.
#define EIGHT_GROUP \
	VMOVDQU (SI), Y9       \
	VPAND   Y15, Y9, Y8    \
	VPSRLW  $8, Y9, Y9     \
	PROBE(0, Y0)           \
	PROBE(8, Y1)           \
	PROBE(16, Y2)          \
	PROBE(24, Y3)          \
	PROBE(32, Y4)          \
	PROBE(40, Y5)          \
	PROBE(48, Y6)          \
	PROBE(56, Y7)          \
	ADDQ    $64, SI        \
	ADDQ    $64, AX        \
	DECQ    BX

#define FINISH_EIGHT(h) \
	FINISH(0, h, Y0)  \
	FINISH(1, h, Y1)  \
	FINISH(2, h, Y2)  \
	FINISH(3, h, Y3)  \
	FINISH(4, h, Y4)  \
	FINISH(5, h, Y5)  \
	FINISH(6, h, Y6)  \
	FINISH(7, h, Y7)

// func scanEightAVX2(a *scanArgs)
//
// Sixteen registers do not hold the sums of sixteen faces and eight probes: each block is passed twice, once for its
// first eight faces and once for the others. The second time it comes from the first-level cache.
TEXT ·scanEightAVX2(SB), NOSPLIT, $0-8
	LOAD_ARGS
	MOVQ SI, R13 // start of the block

eightBlock:
	CLEAR_EIGHT

firstHalf:
	PREFETCHT0 4096(SI) // see scanEightVNNI
	EIGHT_GROUP
	JNZ firstHalf

	MOVQ SI, R12
	FINISH_EIGHT(0)
	LEAQ 32(R13), SI
	CLEAR_EIGHT

secondHalf:
	EIGHT_GROUP
	JNZ secondHalf

	FINISH_EIGHT(1)
	LEAQ 128(R12), R13
	MOVQ R13, SI
	ADDQ $512, R9
	ADDQ $16, R10
	DECQ CX
	JNZ  eightBlock
	VZEROUPPER
	RET
