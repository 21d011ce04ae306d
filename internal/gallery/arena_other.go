//go:build !linux

package gallery

import "unsafe"

// newArena allocates zeroed memory that starts at a cache line. The garbage collector frees it.
func newArena(size int) (memory []byte, free func(), err error) {
	const line = 64
	allocated := make([]byte, size+line)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(allocated))) //nolint:gosec // only its alignment is looked at
	skip := -int(at) & (line - 1)                              //nolint:gosec // the low bits count
	return allocated[skip : skip+size : skip+size], func() {}, nil
}
