package video

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// MaxSlots is the most slots a ring may have.
const MaxSlots = 16

// ring is the memory that a child draws frames into: an anonymous file of fixed, sealed size, which this process maps
// read-only. Nobody can make it shorter under the reader's feet.
type ring struct {
	file   *os.File
	memory []byte
	slots  [][]byte
	frame  face.Frame // over the memory of the slot that was looked at last
}

// newRing has room for any picture that the limit allows in each slot. The kernel gives memory only where a picture is
// drawn.
func newRing(maxPixels int64, slots int) (*ring, error) {
	size := wire.SlotSize(maxPixels)
	fd, err := unix.MemfdCreate("spotter-frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	r := &ring{file: os.NewFile(uintptr(fd), "frames")}
	if err := r.seal(size * slots); err != nil {
		return nil, errors.Join(err, r.close())
	}
	for i := range slots {
		r.slots = append(r.slots, r.memory[i*size:(i+1)*size])
	}
	return r, nil
}

func (r *ring) seal(size int) error {
	if err := r.file.Truncate(int64(size)); err != nil {
		return fmt.Errorf("size frame memory: %w", err)
	}
	fd := int(r.file.Fd())
	seals := unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return os.NewSyscallError("seal frame memory", err)
	}
	var err error
	r.memory, err = unix.Mmap(fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	return os.NewSyscallError("map frame memory", err)
}

// frameOver is a frame whose planes lie in a slot's memory.
func frameOver(g wire.Geometry, l *wire.Layout, slot []byte) face.Frame {
	f := face.Frame{Full: pictureOver(int(g.Width), int(g.Height), &l.Full, slot)}
	w, h := g.Small()
	f.Small = pictureOver(int(w), int(h), &l.Small, slot)
	return f
}

func pictureOver(width, height int, planes *[3]wire.Plane, slot []byte) face.Picture {
	p := face.Picture{Width: width, Height: height, Layout: face.I420}
	for i, plane := range planes {
		end := plane.Offset + plane.Stride*plane.Height
		p.Planes[i] = slot[plane.Offset:end:end]
		p.Strides[i] = plane.Stride
	}
	return p
}

// picture is the frame that a message tells of. The message has been checked.
func (r *ring) picture(m *wire.Frame) *face.Frame {
	g := wire.Geometry{Width: m.Width, Height: m.Height}
	layout := g.Layout()
	r.frame = frameOver(g, &layout, r.slots[m.Slot])
	f := &r.frame
	f.Time = time.Duration(m.Time)
	for _, p := range []*face.Picture{&f.Full, &f.Small} {
		p.Matrix, p.FullRange = face.ColorMatrix(m.Matrix), m.FullRange
	}
	return f
}

// close takes the memory away: frames over it must not be touched any more.
func (r *ring) close() error {
	var err error
	if r.memory != nil {
		err = unix.Munmap(r.memory)
		r.memory, r.slots = nil, nil
	}
	return errors.Join(err, r.file.Close())
}
