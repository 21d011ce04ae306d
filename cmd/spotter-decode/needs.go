//go:build cgo && !nolibav

package main

/*
#include "decode.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// file is the inherited video. Everything that is read of it is read through this, or by libav after [file.need].
type file struct {
	fd      int
	size    int64
	control *control
	have    []bool // the windows that are there; nil if all are
}

func newFile(fd int, size int64, c *control, lazy bool) *file {
	f := &file{fd: fd, size: size, control: c}
	if lazy {
		f.have = make([]bool, (size+wire.Window-1)/wire.Window)
	}
	return f
}

// ReadAt implements [io.ReaderAt].
func (f *file) ReadAt(b []byte, at int64) (int, error) {
	if err := f.need(at, at+int64(len(b))); err != nil {
		return 0, err
	}
	return unix.Pread(f.fd, b, at)
}

// need has the parent bring the bytes from..to, as far as the file goes.
func (f *file) need(from, to int64) error {
	for w := max(from, 0) / wire.Window; w < int64(len(f.have)) && w*wire.Window < to; w++ {
		if f.have[w] {
			continue
		}
		if err := f.ask(w); err != nil {
			return err
		}
	}
	return nil
}

// ask asks for a window, and takes note of what else is there.
func (f *file) ask(w int64) error {
	want := &wire.Want{From: w * wire.Window, To: min((w+1)*wire.Window, f.size)}
	if err := f.control.send(want); err != nil {
		return err
	}
	have, err := f.control.have()
	if err != nil {
		return err
	}
	if have.From != want.From || have.To < want.To || have.To > f.size {
		return fmt.Errorf("want bytes %d to %d, have %d to %d", want.From, want.To, have.From, have.To)
	}
	for ; w < int64(len(f.have)) && min((w+1)*wire.Window, f.size) <= have.To; w++ {
		f.have[w] = true
	}
	return nil
}

// handle is the file as C hands it back; 0 where nothing needs to be asked for.
func (f *file) handle() (h C.uintptr_t, release func()) {
	if f.have == nil {
		return 0, func() {}
	}
	made := cgo.NewHandle(f)
	return C.uintptr_t(made), made.Delete
}

// sd_need is called by C before it reads.
//
//export sd_need
func sd_need(handle C.uintptr_t, from, to C.int64_t) C.int {
	f, ok := cgo.Handle(handle).Value().(*file)
	if !ok || f.need(int64(from), int64(to)) != nil {
		return -1
	}
	return 0
}

// have waits for what has been asked for. Slots that come back meanwhile are kept for later.
func (c *control) have() (*wire.Have, error) {
	for {
		m, err := c.next()
		if err != nil {
			return nil, err
		}
		switch m := m.(type) {
		case *wire.Have:
			return m, nil
		case *wire.Release:
			if len(c.kept) > maxKept {
				return nil, errors.New("more slots come back than there are")
			}
			c.kept = append(c.kept, m)
		default:
			return nil, fmt.Errorf("want a part of the file, have %T", m)
		}
	}
}
