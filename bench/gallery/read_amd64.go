package main

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

func readMethod() string {
	switch {
	case cpu.X86.HasAVX512F:
		return "512-bit loads"
	case cpu.X86.HasAVX2:
		return "256-bit loads"
	}
	return "64-bit loads"
}

// read reads memory from the first byte to the last, as fast as the widest loads of this CPU do. It returns something
// that depends on every byte.
func read(memory []byte) uint64 {
	steps := len(memory) / readStep
	switch {
	case steps == 0:
		return 0
	case cpu.X86.HasAVX512F:
		return readAVX512(unsafe.SliceData(memory), steps) //nolint:gosec // steps of readStep bytes lie within
	case cpu.X86.HasAVX2:
		return readNarrow(memory)
	}
	return readPortable(memory)
}

// readNarrow reads memory with 256-bit loads.
func readNarrow(memory []byte) uint64 {
	return readAVX2(unsafe.SliceData(memory), len(memory)/readStep) //nolint:gosec // steps of readStep bytes lie within
}

//go:noescape
func readAVX512(memory *byte, steps int) uint64

//go:noescape
func readAVX2(memory *byte, steps int) uint64
