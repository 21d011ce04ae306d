//go:build !linux

package main

// newMemory is memory to read.
func newMemory(size int) (memory []byte, free func(), err error) {
	memory = make([]byte, max(size, readStep))
	fill(memory)
	return memory, func() {}, nil
}
