package main

import "encoding/binary"

// readStep is what the lengths that read is given are multiples of.
const readStep = 512

func fill(memory []byte) {
	for i := range memory {
		memory[i] = byte(i)
	}
}

// readPortable reads memory as fast as plain Go does. It returns something that depends on every byte.
func readPortable(memory []byte) uint64 {
	var a, b, c, d uint64
	for ; len(memory) >= 32; memory = memory[32:] {
		a ^= binary.LittleEndian.Uint64(memory)
		b ^= binary.LittleEndian.Uint64(memory[8:])
		c ^= binary.LittleEndian.Uint64(memory[16:])
		d ^= binary.LittleEndian.Uint64(memory[24:])
	}
	return a ^ b ^ c ^ d
}
