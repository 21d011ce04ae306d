package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// newMemory is memory to read, in huge pages and written to, as the gallery's is: pages that were never written to are
// one and the same page of zeros, and would be read from the cache.
func newMemory(size int) (memory []byte, free func(), err error) {
	const hugePage = 2 << 20
	size = (size + hugePage - 1) / hugePage * hugePage
	memory, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, nil, fmt.Errorf("map %d MiB to read: %w", size>>20, err)
	}
	_ = unix.Madvise(memory, unix.MADV_HUGEPAGE)
	fill(memory)
	return memory, func() { _ = unix.Munmap(memory) }, nil
}
