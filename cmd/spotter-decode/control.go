package main

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// Exit codes, for people who look: the parent goes by the messages.
const (
	exitFailed   = 1
	exitProtocol = 3
)

// control is the child's end of the control socket. It uses the descriptor directly: a blocking read costs no thread of
// the Go runtime's poller, and the sandbox need not allow one.
type control struct {
	fd     int
	kept   []wire.Message // came before what was waited for
	buffer [wire.MaxMessage]byte
}

func newControl() *control { return &control{fd: video.ControlFD} }

// maxKept bounds the messages that are kept: there are fewer slots.
const maxKept = 64

// receive waits for the parent's next message; io.EOF when the parent is gone.
func (c *control) receive() (wire.Message, error) {
	if len(c.kept) > 0 {
		m := c.kept[0]
		c.kept = c.kept[1:]
		return m, nil
	}
	return c.next()
}

// next reads a message.
func (c *control) next() (wire.Message, error) {
	for {
		n, err := unix.Read(c.fd, c.buffer[:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, fmt.Errorf("read control socket: %w", err)
		case n == 0:
			return nil, io.EOF
		}
		return wire.Decode(c.buffer[:n])
	}
}

// request is the parent's first message.
func (c *control) request() (*wire.Request, error) {
	m, err := c.receive()
	if err != nil {
		return nil, err
	}
	r, ok := m.(*wire.Request)
	if !ok {
		return nil, fmt.Errorf("want a request first, have %T", m)
	}
	return r, nil
}

func (c *control) send(m wire.Message) error {
	b, err := wire.Encode(m)
	if err != nil {
		return err
	}
	for {
		_, err := unix.Write(c.fd, b)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// fail tells the parent why there is no result.
func (c *control) fail(reason wire.Reason, detail, codec string) int {
	m := &wire.Failure{Reason: reason, Detail: wire.MakeText(detail), Codec: wire.MakeText(codec)}
	if c.last(m) != nil {
		return exitProtocol
	}
	return exitFailed
}

// last sends the last message and waits until the parent hangs up: a socket closed with unread messages in it takes the
// ones that it has sent with it.
func (c *control) last(m wire.Message) error {
	if err := c.send(m); err != nil {
		return err
	}
	for {
		if _, err := c.receive(); err != nil {
			return nil //nolint:nilerr // the end, in whatever form
		}
	}
}
