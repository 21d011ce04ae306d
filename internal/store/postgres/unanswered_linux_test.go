package postgres

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUnansweredBreaks has connections give up what is not acknowledged, of which TCP's own patience is a quarter of an hour. That a
// collection is read goes on when the request that began it does not, so that all searches of it would wait for that.
func TestUnansweredBreaks(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // nothing was written
	conn, err := dialer().DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // likewise
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var failed error
	err = raw.Control(func(fd uintptr) { got, failed = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) })
	if err != nil || failed != nil || got != int(unheard.Milliseconds()) {
		t.Errorf("TCP waits %d ms for an acknowledgement: %v, %v", got, err, failed)
	}
}
