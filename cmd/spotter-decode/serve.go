//go:build cgo && !nolibav

package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/sandbox"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// serve does one task: request, sandbox, work.
func serve() int {
	c := newControl()
	r, err := c.request()
	if err != nil {
		return exitProtocol
	}
	status := sandbox.Decoder(limitsOf(r))
	if r.Strict && !status.Full() {
		return c.fail(wire.ReasonSandbox, status.Err().Error(), "")
	}
	ready := &wire.Ready{Landlock: int32(status.Landlock), Seccomp: status.Seccomp, Limits: status.Limits} //nolint:gosec // G115: an ABI number
	if c.send(ready) != nil {
		return exitProtocol
	}
	if err := work(c, r); err != nil {
		return report(c, err)
	}
	return 0
}

// limitsOf are the limits of a request: a task that decodes shares the memory for frames.
func limitsOf(r *wire.Request) sandbox.Limits {
	l := sandbox.Limits{Memory: r.Memory, CPUSeconds: r.CPUSeconds}
	if r.Task == wire.TaskDecode && r.MaxPixels > 0 && r.MaxPixels <= wire.MostPixels && r.Slots > 0 && r.Slots <= video.MaxSlots {
		l.Shared, l.SharedBytes = video.RingFD, uint64(wire.SlotSize(r.MaxPixels))*uint64(r.Slots) //nolint:gosec // G115: bounded
	}
	return l
}

func work(c *control, r *wire.Request) error {
	switch r.Task {
	case wire.TaskPlan:
		return plan(c, r)
	case wire.TaskDecode:
		return decode(c, r)
	default:
		return &failure{wire.ReasonProtocol, "unknown task"}
	}
}

// failure is an error that says its reason itself.
type failure struct {
	reason wire.Reason
	detail string
}

func (f *failure) Error() string { return f.detail }

// errParent ends the work in silence: there is nobody to tell.
var errParent = errors.New("the parent is gone")

func report(c *control, err error) int {
	var (
		f *failure
		r *refusal
		l libavError
	)
	switch {
	case errors.Is(err, errParent):
		return exitProtocol
	case errors.As(err, &f):
		return c.fail(f.reason, f.detail, "")
	case errors.As(err, &r):
		return c.fail(r.reason, "", r.codec)
	case errors.As(err, &l) && l.memory():
		return c.fail(wire.ReasonMemory, l.Error(), "")
	default:
		return c.fail(wire.ReasonOpen, err.Error(), "")
	}
}

// open opens the request's file, which is the inherited descriptor.
func open(c *control, r *wire.Request, stream int, all bool) (*source, int64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(video.InputFD, &st); err != nil {
		return nil, 0, &failure{wire.ReasonRead, err.Error()}
	}
	s, err := openSource(newFile(video.InputFD, st.Size, c, r.Lazy), r, stream, all)
	return s, st.Size, err
}
