//go:build !amd64

package main

func readMethod() string { return "64-bit loads" }

// read reads memory from the first byte to the last. It returns something that depends on every byte.
func read(memory []byte) uint64 { return readPortable(memory) }

// readNarrow reads as read does.
func readNarrow(memory []byte) uint64 { return readPortable(memory) }
