#include "textflag.h"

// Sums with the dot product instructions of ARMv8.2 (ASIMDDP). A vector register holds four dimensions of four faces.
// Stored bytes are code + 128; flipping the highest bit makes them signed codes again, so the sums need no correction.
//
// The assembler does not know SDOT; the words are those of the Arm Architecture Reference Manual, C7.2 "SDOT (vector)"
// and "SDOT (by element)", with the 128-bit form of both.
//	SDOT(m, n, d)            d.4S += four products each of n.16B and m.16B
//	SDOT_LANE(i, m, n, d)    d.4S += four products each of n.16B and the i-th four bytes of m
#define SDOT(m, n, d) WORD $(0x4E809400 | (m)<<16 | (n)<<5 | (d))
#define SDOT_LANE(i, m, n, d) WORD $(0x4F80E000 | ((i)&1)<<21 | ((i)>>1)<<11 | (m)<<16 | (n)<<5 | (d))

// func dotOneNEON(sums *blockSums, block, codes []byte, groups int)
//
// V0 to V3 are the sums of the sixteen faces, V4 to V7 their codes, V16 the probe's codes, four times.
TEXT ·dotOneNEON(SB), NOSPLIT, $0-64
	MOVD  sums+0(FP), R0
	MOVD  block_base+8(FP), R1
	MOVD  codes_base+32(FP), R2
	MOVD  groups+56(FP), R3
	VMOVI $0x80, V31.B16
	VEOR  V0.B16, V0.B16, V0.B16
	VEOR  V1.B16, V1.B16, V1.B16
	VEOR  V2.B16, V2.B16, V2.B16
	VEOR  V3.B16, V3.B16, V3.B16

oneGroup:
	VLD1.P  64(R1), [V4.B16, V5.B16, V6.B16, V7.B16]
	VLD1R.P 4(R2), [V16.S4]
	VEOR    V31.B16, V4.B16, V4.B16
	VEOR    V31.B16, V5.B16, V5.B16
	VEOR    V31.B16, V6.B16, V6.B16
	VEOR    V31.B16, V7.B16, V7.B16
	SDOT(16, 4, 0)
	SDOT(16, 5, 1)
	SDOT(16, 6, 2)
	SDOT(16, 7, 3)
	SUBS    $1, R3
	BNE     oneGroup
	VST1    [V0.S4, V1.S4, V2.S4, V3.S4], (R0)
	RET

// func dotEightNEON(sums *blockSums, block, codes []byte, groups int)
//
// The block is passed twice, eight faces each: V0 to V15 are their sums, two registers a probe; V16 and V17 are their
// codes, V18 and V19 the codes of the eight probes. R4 counts the passes.
TEXT ·dotEightNEON(SB), NOSPLIT, $0-64
	MOVD  sums+0(FP), R0
	MOVD  block_base+8(FP), R1
	VMOVI $0x80, V31.B16
	MOVD  $2, R4
	MOVD  $64, R8

half:
	MOVD codes_base+32(FP), R2
	MOVD groups+56(FP), R3
	MOVD R1, R5
	MOVD R0, R6
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	VEOR V8.B16, V8.B16, V8.B16
	VEOR V9.B16, V9.B16, V9.B16
	VEOR V10.B16, V10.B16, V10.B16
	VEOR V11.B16, V11.B16, V11.B16
	VEOR V12.B16, V12.B16, V12.B16
	VEOR V13.B16, V13.B16, V13.B16
	VEOR V14.B16, V14.B16, V14.B16
	VEOR V15.B16, V15.B16, V15.B16

eightGroup:
	VLD1    (R5), [V16.B16, V17.B16]
	ADD     $64, R5
	VLD1.P  32(R2), [V18.B16, V19.B16]
	VEOR    V31.B16, V16.B16, V16.B16
	VEOR    V31.B16, V17.B16, V17.B16
	SDOT_LANE(0, 18, 16, 0)
	SDOT_LANE(0, 18, 17, 1)
	SDOT_LANE(1, 18, 16, 2)
	SDOT_LANE(1, 18, 17, 3)
	SDOT_LANE(2, 18, 16, 4)
	SDOT_LANE(2, 18, 17, 5)
	SDOT_LANE(3, 18, 16, 6)
	SDOT_LANE(3, 18, 17, 7)
	SDOT_LANE(0, 19, 16, 8)
	SDOT_LANE(0, 19, 17, 9)
	SDOT_LANE(1, 19, 16, 10)
	SDOT_LANE(1, 19, 17, 11)
	SDOT_LANE(2, 19, 16, 12)
	SDOT_LANE(2, 19, 17, 13)
	SDOT_LANE(3, 19, 16, 14)
	SDOT_LANE(3, 19, 17, 15)
	SUBS    $1, R3
	BNE     eightGroup

	// A probe's sixteen sums are 64 bytes; this pass has half of them.
	VST1.P [V0.S4, V1.S4], (R6)(R8)
	VST1.P [V2.S4, V3.S4], (R6)(R8)
	VST1.P [V4.S4, V5.S4], (R6)(R8)
	VST1.P [V6.S4, V7.S4], (R6)(R8)
	VST1.P [V8.S4, V9.S4], (R6)(R8)
	VST1.P [V10.S4, V11.S4], (R6)(R8)
	VST1.P [V12.S4, V13.S4], (R6)(R8)
	VST1.P [V14.S4, V15.S4], (R6)(R8)
	ADD    $32, R0
	ADD    $32, R1
	SUBS   $1, R4
	BNE    half
	RET
