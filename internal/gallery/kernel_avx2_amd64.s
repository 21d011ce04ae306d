#include "go_asm.h"
#include "textflag.h"

// Kernels for AVX2. A YMM register holds four dimensions of eight faces as unsigned bytes, half a row of a block.
// VPMADDUBSW multiplies them with the signed bytes of the probe's four dimensions and adds pairs of products in 16 bits,
// VPMADDWD with ones adds two such pairs in 32 bits: a face's four products end in its own 32 bits, so nothing is summed
// across.
//
// The first addition would saturate beyond 32767, and 255 x (127 + 127) is more. Therefore no two codes of a probe that
// are added there are larger than 128 together, where their signs are the same: 255 x 128 = 32640. What exceeds that is
// taken out when the probe is packed (packHalves), and the groups of dimensions with such codes are passed once more,
// with the rest of the codes. All sums are exact: 4096 x 255 x 127 < 2^31.
//
// Registers of both kernels:
//	DI      arguments
//	SI      the block's next codes
//	R12     the block's first codes, and then its scales; its residuals lie 64 bytes further
//	CX      blocks left
//	DX      groups of a block
//	R8, AX  the probes' codes: first, next
//	BX      groups left, extras left
//	R9      next approximate scores
//	R10     next masks
//	R13     next extra
//	R14     groups in bytes of extras of one probe
//	Y15     1 in every 16 bits

#define LOAD_ARGS \
	MOVQ     a+0(FP), DI             \
	MOVQ     scanArgs_blocks(DI), SI \
	MOVQ     scanArgs_count(DI), CX  \
	MOVQ     scanArgs_groups(DI), DX \
	MOVQ     scanArgs_codes(DI), R8  \
	MOVQ     scanArgs_approx(DI), R9 \
	MOVQ     scanArgs_masks(DI), R10 \
	VPCMPEQW Y15, Y15, Y15           \
	VPSRLW   $15, Y15, Y15

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

// ADD adds the products of the block's bytes in Y8 (faces 0 to 7) and Y9 (8 to 15) with the codes in Y10.
#define ADD(low, high) \
	VPMADDUBSW Y10, Y8, Y11   \
	VPMADDUBSW Y10, Y9, Y12   \
	VPMADDWD   Y15, Y11, Y11  \
	VPMADDWD   Y15, Y12, Y12  \
	VPADDD     Y11, low, low  \
	VPADDD     Y12, high, high

// EXTRA adds the extra at R13 to the sums of one probe.
#define EXTRA(low, high) \
	MOVL         (R13), R11          \
	VPBROADCASTD 4(R13), Y10         \
	VMOVDQU      (R12)(R11*1), Y8    \
	VMOVDQU      32(R12)(R11*1), Y9  \
	ADD(low, high)                   \
	ADDQ         $8, R13

// ONE_GROUP adds one group of dimensions.
#define ONE_GROUP(data, codes, low, high) \
	VPBROADCASTD codes(AX), Y10      \
	VMOVDQU      data(SI), Y8        \
	VMOVDQU      (data+32)(SI), Y9   \
	ADD(low, high)

// func scanOneAVX2(a *scanArgs)
//
// Two sums of each half in turn, so that no addition waits for the one before it.
TEXT ·scanOneAVX2(SB), NOSPLIT, $0-8
	LOAD_ARGS

oneBlock:
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	MOVQ  R8, AX
	MOVQ  DX, BX
	MOVQ  SI, R12

oneStep:
	ONE_GROUP(0, 0, Y0, Y1)
	ONE_GROUP(64, 4, Y2, Y3)
	ONE_GROUP(128, 8, Y0, Y1)
	ONE_GROUP(192, 12, Y2, Y3)
	ADDQ $256, SI
	ADDQ $16, AX
	SUBQ $4, BX
	JNZ  oneStep

	MOVQ  scanArgs_extras(DI), BX
	TESTQ BX, BX
	JZ    oneFinish
	MOVQ  AX, R13

oneExtra:
	EXTRA(Y0, Y1)
	DECQ BX
	JNZ  oneExtra

oneFinish:
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

// FOUR_GROUP adds one group of dimensions to the sums of four probes, whose codes lie from AX+codes.
#define FOUR_GROUP(codes) \
	VMOVDQU      (SI), Y8            \
	VMOVDQU      32(SI), Y9          \
	VPBROADCASTD (codes+0)(AX), Y10  \
	ADD(Y0, Y1)                      \
	VPBROADCASTD (codes+4)(AX), Y10  \
	ADD(Y2, Y3)                      \
	VPBROADCASTD (codes+8)(AX), Y10  \
	ADD(Y4, Y5)                      \
	VPBROADCASTD (codes+12)(AX), Y10 \
	ADD(Y6, Y7)                      \
	ADDQ         $64, SI             \
	ADDQ         $32, AX             \
	DECQ         BX

#define CLEAR_FOUR \
	VPXOR Y0, Y0, Y0  \
	VPXOR Y1, Y1, Y1  \
	VPXOR Y2, Y2, Y2  \
	VPXOR Y3, Y3, Y3  \
	VPXOR Y4, Y4, Y4  \
	VPXOR Y5, Y5, Y5  \
	VPXOR Y6, Y6, Y6  \
	VPXOR Y7, Y7, Y7  \
	MOVQ  R8, AX      \
	MOVQ  R12, SI     \
	MOVQ  DX, BX

// EXTRA_FOUR adds an extra of each of four probes.
#define EXTRA_FOUR \
	EXTRA(Y0, Y1)  \
	EXTRA(Y2, Y3)  \
	EXTRA(Y4, Y5)  \
	EXTRA(Y6, Y7)  \
	DECQ BX

// func scanEightAVX2(a *scanArgs)
//
// Sixteen registers do not hold the sums of sixteen faces and eight probes: each block is passed twice, once for the
// first four probes and once for the others. The second time it comes from the first-level cache.
TEXT ·scanEightAVX2(SB), NOSPLIT, $0-8
	LOAD_ARGS
	MOVQ DX, R14
	SHLQ $3, R14
	MOVQ SI, R12

eightBlock:
	CLEAR_FOUR

firstFour:
	PREFETCHT0 4096(SI) // see scanEightVNNI
	FOUR_GROUP(0)
	JNZ firstFour

	MOVQ  scanArgs_extras(DI), BX
	MOVQ  AX, R13
	TESTQ BX, BX
	JZ    finishFirst

firstExtras:
	EXTRA_FOUR
	JNZ firstExtras

finishFirst:
	XCHGQ SI, R12
	FINISH(0, 0, Y0)
	FINISH(0, 1, Y1)
	FINISH(1, 0, Y2)
	FINISH(1, 1, Y3)
	FINISH(2, 0, Y4)
	FINISH(2, 1, Y5)
	FINISH(3, 0, Y6)
	FINISH(3, 1, Y7)
	MOVQ SI, R12
	CLEAR_FOUR

secondFour:
	FOUR_GROUP(16)
	JNZ secondFour

	MOVQ  (scanArgs_extras+8)(DI), BX
	LEAQ  (AX)(R14*4), R13
	TESTQ BX, BX
	JZ    finishSecond

secondExtras:
	EXTRA_FOUR
	JNZ secondExtras

finishSecond:
	MOVQ SI, R12
	FINISH(4, 0, Y0)
	FINISH(4, 1, Y1)
	FINISH(5, 0, Y2)
	FINISH(5, 1, Y3)
	FINISH(6, 0, Y4)
	FINISH(6, 1, Y5)
	FINISH(7, 0, Y6)
	FINISH(7, 1, Y7)
	ADDQ $128, R12
	ADDQ $512, R9
	ADDQ $16, R10
	DECQ CX
	JNZ  eightBlock
	VZEROUPPER
	RET
