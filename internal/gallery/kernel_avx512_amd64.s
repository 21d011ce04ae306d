#include "go_asm.h"
#include "textflag.h"

// Kernels for AVX-512 with VNNI. One ZMM register holds four dimensions of sixteen faces; VPDPBUSD multiplies its
// unsigned bytes with the signed bytes of the probe's four dimensions, broadcast from memory, and adds the four
// products to the face's 32-bit sum. The sums are exact: 4096 x 255 x 127 < 2^31.
//
// Registers of both kernels:
//	DI      arguments
//	SI      runs through the blocks, one after another without a gap
//	CX      blocks left
//	DX      groups of a block
//	R8, AX  the probes' codes: first, next
//	BX      groups left
//	R9      next approximate scores
//	R10     next masks
//	Z24     scales of the block's faces
//	Z25     residuals of the block's faces

#define LOAD_ARGS \
	MOVQ a+0(FP), DI            \
	MOVQ scanArgs_blocks(DI), SI \
	MOVQ scanArgs_count(DI), CX  \
	MOVQ scanArgs_groups(DI), DX \
	MOVQ scanArgs_codes(DI), R8  \
	MOVQ scanArgs_approx(DI), R9 \
	MOVQ scanArgs_masks(DI), R10

// FINISH turns the sums of probe p, in register acc, into approximate scores and a mask. No operation may be fused:
// the bits must be those of scanArgs.finish. Comparison 13 is greater or equal, false for a NaN.
#define FINISH(p, acc) \
	VPSUBD.BCST (scanArgs_correction+4*p)(DI), acc, acc       \
	VCVTDQ2PS   acc, acc                                      \
	VMULPS.BCST (scanArgs_scale+4*p)(DI), acc, acc            \
	VMULPS      Z24, acc, acc                                 \
	VMOVUPS     acc, (64*p)(R9)                               \
	VMULPS.BCST (scanArgs_norm+4*p)(DI), Z25, Z26             \
	VADDPS      Z26, acc, acc                                 \
	VCMPPS.BCST $13, (scanArgs_threshold+4*p)(DI), acc, K1    \
	KMOVW       K1, R11                                       \
	MOVW        R11, (2*p)(R10)

// func scanOneVNNI(a *scanArgs)
TEXT ·scanOneVNNI(SB), NOSPLIT, $0-8
	LOAD_ARGS

oneBlock:
	// Four sums in turn, so that no instruction waits for the one before it.
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	MOVQ   R8, AX
	MOVQ   DX, BX

oneStep:
	VMOVDQU32     (SI), Z16
	VMOVDQU32     64(SI), Z17
	VMOVDQU32     128(SI), Z18
	VMOVDQU32     192(SI), Z19
	VPDPBUSD.BCST (AX), Z16, Z0
	VPDPBUSD.BCST 4(AX), Z17, Z1
	VPDPBUSD.BCST 8(AX), Z18, Z2
	VPDPBUSD.BCST 12(AX), Z19, Z3
	ADDQ          $256, SI
	ADDQ          $16, AX
	SUBQ          $4, BX
	JNZ           oneStep

	VPADDD  Z1, Z0, Z0
	VPADDD  Z3, Z2, Z2
	VPADDD  Z2, Z0, Z0
	VMOVUPS (SI), Z24
	VMOVUPS 64(SI), Z25
	ADDQ    $128, SI
	FINISH(0, Z0)
	ADDQ    $64, R9
	ADDQ    $2, R10
	DECQ    CX
	JNZ     oneBlock
	VZEROUPPER
	RET

// GROUP adds one group of dimensions to the sums of eight probes, Z0 to Z7.
#define GROUP(data, codes) \
	VMOVDQU32     data(SI), Z16            \
	VPDPBUSD.BCST (codes+0)(AX), Z16, Z0   \
	VPDPBUSD.BCST (codes+4)(AX), Z16, Z1   \
	VPDPBUSD.BCST (codes+8)(AX), Z16, Z2   \
	VPDPBUSD.BCST (codes+12)(AX), Z16, Z3  \
	VPDPBUSD.BCST (codes+16)(AX), Z16, Z4  \
	VPDPBUSD.BCST (codes+20)(AX), Z16, Z5  \
	VPDPBUSD.BCST (codes+24)(AX), Z16, Z6  \
	VPDPBUSD.BCST (codes+28)(AX), Z16, Z7

// func scanEightVNNI(a *scanArgs)
//
// Here arithmetic takes about as long as memory, and the instructions in flight do not reach far enough ahead to have
// both at once: prefetching half a block makes a batch of eight a quarter faster (Zen 5). It may reach beyond the end
// of the blocks; a prefetch never faults.
TEXT ·scanEightVNNI(SB), NOSPLIT, $0-8
	LOAD_ARGS

eightBlock:
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	VPXORD Z6, Z6, Z6
	VPXORD Z7, Z7, Z7
	MOVQ   R8, AX
	MOVQ   DX, BX

eightStep:
	PREFETCHT0 4096(SI)
	PREFETCHT0 4160(SI)
	GROUP(0, 0)
	GROUP(64, 32)
	ADDQ $128, SI
	ADDQ $64, AX
	SUBQ $2, BX
	JNZ  eightStep

	VMOVUPS (SI), Z24
	VMOVUPS 64(SI), Z25
	ADDQ    $128, SI
	FINISH(0, Z0)
	FINISH(1, Z1)
	FINISH(2, Z2)
	FINISH(3, Z3)
	FINISH(4, Z4)
	FINISH(5, Z5)
	FINISH(6, Z6)
	FINISH(7, Z7)
	ADDQ    $512, R9
	ADDQ    $16, R10
	DECQ    CX
	JNZ     eightBlock
	VZEROUPPER
	RET
