package video

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec" //nolint:depguard // this room is the one that runs decoders
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// ServeCommand is spotter-decode's argument for doing one task over the inherited descriptors.
const ServeCommand = "serve"

// The descriptors that a child inherits beside the standard ones.
const (
	InputFD   = 3 // the video, read-only
	ControlFD = 4 // control messages, SEQPACKET
	RingFD    = 5 // shared memory for frames; only for decoding
)

// tailBytes of a child's standard error are kept for the reason of a crash.
const tailBytes = 4 << 10

// child is a running decoder process and the socket to it. One goroutine uses it; close may be called at any time.
type child struct {
	conn   *net.UnixConn
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has been reaped
	stderr tail
	now    func() time.Time
	wall   time.Duration // what is left of the time for waiting
	cpu    time.Duration // RLIMIT_CPU, to tell its kill from others
	ready  bool
	fetch  Fetch // brings what the child asks for of a file of size bytes; nil where all is there
	size   int64
	buffer [wire.MaxMessage]byte
	once   sync.Once
}

// startChild starts spotter-decode. The files become descriptors 3, 5, 6 ...; 4 is the control socket.
func startChild(path string, input *os.File, ring *os.File) (*child, error) {
	conn, far, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = far.Close() }()
	c := &child{conn: conn, exited: make(chan struct{})}
	c.cmd = exec.Command(path, ServeCommand) //nolint:noctx // close kills it; a context would leave no time to say why
	c.cmd.ExtraFiles = []*os.File{input, far}
	if ring != nil {
		c.cmd.ExtraFiles = append(c.cmd.ExtraFiles, ring)
	}
	c.cmd.Env = childEnv()
	c.cmd.Stderr = &c.stderr
	if err := startAndReap(c.cmd, c.exited); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// startAndReap starts a process and a goroutine that waits for it. The goroutine keeps its thread: the kernel kills the
// process when the thread that started it ends (Pdeathsig), and that must be when this program ends and not before.
func startAndReap(cmd *exec.Cmd, exited chan<- struct{}) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the state says how it ended
			close(exited)
		}
	}()
	return <-started
}

// childEnv keeps the child's environment small. One thread of Go and one arena of malloc are all it uses.
func childEnv() []string {
	env := []string{"LANG=C.UTF-8", "GOMAXPROCS=1", "MALLOC_ARENA_MAX=1", "GOTRACEBACK=none"}
	const libraries = "LD_LIBRARY_PATH" // for a libav that is not the system's
	if v, ok := os.LookupEnv(libraries); ok {
		env = append(env, libraries+"="+v)
	}
	return env
}

func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control")
	defer func() { _ = near.Close() }()
	conn, err := net.FileConn(near)
	if err != nil {
		_ = far.Close()
		return nil, nil, err
	}
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.Join(errors.New("control socket is no unix socket"), conn.Close(), far.Close())
	}
	return unixConn, far, nil
}

// send gives the child a message. A child that reads none keeps it waiting, as long as it may wait for one of the child's:
// then, or with the context, it fails for good. That the child is gone is no failure: what it said before still counts, and
// its silence tells.
func (c *child) send(ctx context.Context, m wire.Message) error {
	b, err := wire.Encode(m)
	if err != nil {
		return err
	}
	done := c.wait(ctx, c.conn.SetWriteDeadline)
	_, err = c.conn.Write(b)
	done()
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return c.stopped(ctx, err)
}

// past is a deadline that has passed.
var past = time.Unix(1, 0) //nolint:gochecknoglobals // a constant

// wait lets what comes next wait until the context ends, and no longer than there is time; done takes that off.
func (c *child) wait(ctx context.Context, deadline func(time.Time) error) (done func()) {
	begin := c.now()
	_ = deadline(begin.Add(c.wall))
	stop := context.AfterFunc(ctx, func() { _ = deadline(past) })
	return func() {
		stop()
		c.wall -= c.now().Sub(begin)
	}
}

// receive waits for the child's next message, and brings what it asks for until then. Any error is final and tells why, as an
// [Error], the context's or that of a fetch.
func (c *child) receive(ctx context.Context) (wire.Message, error) {
	for {
		done := c.wait(ctx, c.conn.SetReadDeadline)
		n, err := c.conn.Read(c.buffer[:])
		done()
		if err != nil || n == 0 {
			return nil, c.stopped(ctx, err)
		}
		m, err := c.decode(n)
		if err != nil {
			return nil, err
		}
		want, ok := m.(*wire.Want)
		if !ok {
			return m, nil
		}
		if err := c.bring(ctx, want); err != nil {
			return nil, err
		}
	}
}

// bring has a part of the file fetched that the child asks for.
func (c *child) bring(ctx context.Context, want *wire.Want) error {
	if c.fetch == nil {
		return c.lied(errors.New("it asks for a file that is there"))
	}
	if err := want.Check(c.size); err != nil {
		return c.lied(err)
	}
	if err := ctx.Err(); err != nil { // a fetch of what is there need not look, and a child that asks for ever leaves no time to wait in
		return err
	}
	end, err := c.fetch(ctx, want.From, want.To)
	if err != nil {
		c.close()
		return err
	}
	return c.send(ctx, &wire.Have{From: want.From, To: max(want.To, min(end, c.size))})
}

// receiveReady is the child's next message if it is there already; else nil. What it asks for is brought.
func (c *child) receiveReady(ctx context.Context) (wire.Message, error) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return nil, c.died(err)
	}
	n := 0
	_ = c.conn.SetReadDeadline(time.Time{}) // which may have passed, by a context that is over
	failed := raw.Read(func(fd uintptr) bool {
		n, _, err = unix.Recvfrom(int(fd), c.buffer[:], unix.MSG_DONTWAIT)
		return true
	})
	if failed != nil || err != nil || n == 0 {
		return nil, nil //nolint:nilerr,nilnil // none is there; whoever waits for one is told why
	}
	m, err := c.decode(n)
	if want, ok := m.(*wire.Want); ok && err == nil {
		return nil, c.bring(ctx, want)
	}
	return m, err
}

// decode is the message of n bytes in the buffer.
func (c *child) decode(n int) (wire.Message, error) {
	m, wrong := wire.Decode(c.buffer[:n])
	if wrong != nil {
		return nil, c.lied(wrong)
	}
	return m, nil
}

// stopped says why the child could not be talked to: because nobody wants it any more, it took too long, or it is gone.
func (c *child) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.close()
		return fail(Timeout, nil, "Decoding took too long and was stopped: the file may be made to waste time, or the "+
			"machine is overloaded. Try it again when the machine is idle, or convert the file first.")
	}
	return c.died(err)
}

// lied ends a child that broke the protocol.
func (c *child) lied(err error) *Error {
	c.close()
	return fail(Crashed, err, "The decoder sent something it must not send and was stopped; the file may be made to attack it.")
}

// ends waits for the end of a child that has closed its socket, and says whether it came without being killed by us.
func (c *child) ends() bool {
	const soon = 5 * time.Second // a process ends in a moment once its files are being closed; a busy machine tells it late
	timer := time.NewTimer(soon)
	defer timer.Stop()
	select {
	case <-c.exited:
		return true
	case <-timer.C:
		return false
	}
}

// died waits for a child that closed its socket and says how it ended.
func (c *child) died(cause error) *Error {
	byItself := c.ends()
	c.close()
	said := c.stderr.firstLine()
	if cause == nil || errors.Is(cause, io.EOF) || errors.Is(cause, syscall.ECONNRESET) {
		cause = nil
	}
	if said != "" {
		cause = errors.New(said)
	}
	state := c.cmd.ProcessState
	status, _ := state.Sys().(syscall.WaitStatus)
	used := state.SystemTime() + state.UserTime()
	switch {
	case strings.Contains(said, "failed to create new OS thread"), strings.Contains(said, "pthread_create failed"):
		return exhausted(cause)
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate"):
		if !c.ready { // it has not seen the file yet
			return exhausted(cause)
		}
		return tooMuchMemory(cause)
	case status.Signaled() && c.cpu > 0 && used >= c.cpu-time.Second:
		return usedUp(cause)
	case byItself && status.Signaled() && status.Signal() == syscall.SIGKILL: // which neither the sandbox nor a fault sends
		return killed(cause)
	case !byItself:
		return fail(Crashed, cause, "The decoder closed its line without a word and was stopped; the file may be made to attack it.")
	case status.Signaled():
		return faulted(cause, status.Signal().String())
	case c.stderr.fault() != "": // which the Go runtime catches, and ends the process for
		return faulted(cause, c.stderr.fault())
	case !c.ready:
		return fail(Unavailable, cause, "The decoder could not start (exit status %d). Run: spotter doctor.", status.ExitStatus())
	default:
		return fail(Crashed, cause, "The decoder ended in the middle of its work (exit status %d).", status.ExitStatus())
	}
}

func usedUp(cause error) *Error {
	return fail(Timeout, cause, "Decoding used more processor time than a video of this length may take and was stopped.")
}

func killed(cause error) *Error {
	return fail(Killed, cause, "The decoder was killed from outside, most likely because the machine is short of memory. "+
		"Try again, with fewer workers or more memory.")
}

func faulted(cause error, signal string) *Error {
	e := fail(Crashed, cause, "The decoder was ended by a signal (%s) on this stretch of the video. If this happens "+
		"again with the same file, the file breaks the decoder: convert it first.", signal)
	e.fault = true
	return e
}

func tooMuchMemory(cause error) *Error {
	return fail(TooLarge, cause, "Decoding this video needs more memory than is allowed: convert it to a smaller "+
		"picture size first.")
}

// awaitReady reads the child's first message.
func (c *child) awaitReady(ctx context.Context) (*wire.Ready, error) {
	m, err := c.receive(ctx)
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *wire.Ready:
		c.ready = true
		return m, nil
	case *wire.Failure:
		c.close()
		return nil, failureError(m)
	default:
		return nil, c.lied(errors.New("first message is not ready"))
	}
}

// settle lets a child that has said its last word end by itself, so that its use of resources is complete. The child
// waits to be told, because a socket closed with unread messages in it would swallow its last word.
func (c *child) settle() {
	_ = c.conn.CloseWrite()
	const grace = 5 * time.Second // exiting takes milliseconds; freeing gigabytes of memory a little longer
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
	}
	c.close()
}

// close kills and reaps the child. It may be called more than once.
func (c *child) close() {
	c.once.Do(func() {
		select {
		case <-c.exited: // its process id may be another's by now
		default:
			_ = c.cmd.Process.Kill()
		}
		<-c.exited
		_ = c.conn.Close()
	})
}

// usage is the CPU time and the peak memory of a child that has ended.
func (c *child) usage() (cpu time.Duration, peak int64) {
	state := c.cmd.ProcessState
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		const kilobyte = 1024 // the unit of ru_maxrss on Linux
		peak = r.Maxrss * kilobyte
	}
	return state.UserTime() + state.SystemTime(), peak
}

// tail keeps the first and the last bytes written to it. The process's copying goroutine writes; reads come after it has
// ended.
type tail struct {
	mu   sync.Mutex
	head []byte
	data []byte
}

// Write keeps what fits.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head = append(t.head, b[:min(len(b), tailBytes-len(t.head))]...)
	t.data = append(t.data, b...)
	if over := len(t.data) - tailBytes; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(b), nil
}

// fault is the name of the signal that the Go runtime says to have ended the program; empty for none.
func (t *tail) fault() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range []string{"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP"} {
		if bytes.Contains(t.head, []byte(name)) {
			return name
		}
	}
	return ""
}

// firstLine is the first line that says something, short and printable: a Go program says first why it ends.
func (t *tail) firstLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range strings.Lines(string(t.head)) {
		if line = printable(strings.TrimSpace(line)); line != "" {
			return line
		}
	}
	return ""
}

// printable cuts a string that came from outside to one line that a terminal bears.
func printable(s string) string {
	const limit = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}

// lastLine is the last line that says something: ffmpeg says last why it failed.
func (t *tail) lastLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := ""
	for line := range strings.Lines(string(t.data)) {
		if line = printable(strings.TrimSpace(line)); line != "" {
			last = line
		}
	}
	return last
}
