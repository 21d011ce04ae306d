package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec" //nolint:depguard // the servers are programs of their own
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// Program says what to run.
type Program struct {
	Path      string
	Arguments []string
	// Env is its environment; nil: this process's.
	Env []string
	// Credential is whom it runs as; nil: this process's user.
	Credential *syscall.Credential
	// Ready is asked again and again whether the program is ready: nil means yes.
	Ready func(context.Context) error
}

// Process is a running program, started with [Attributes].
type Process struct {
	cmd    *exec.Cmd
	log    lockedBuffer
	exited <-chan struct{}
}

// Start starts a command and waits for its end, when the channel is closed; then cmd.ProcessState says how it ended. The
// command ends with this process at the latest, however this one ends (on Linux).
func Start(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	bind(cmd.SysProcAttr)
	started, end := make(chan error), make(chan struct{})
	go func() {
		// The kernel ends the command with the thread that has started it: this goroutine keeps the thread as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its state says how
			close(end)
		}
	}()
	return end, <-started
}

// Start runs a program and waits until it is ready. The context bounds the wait alone: the program runs until Stop.
func (p Program) Start(ctx context.Context) (*Process, error) {
	s := &Process{}
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), p.Path, p.Arguments...) //nolint:gosec // G204: a program that was built here
	s.cmd.Env, s.cmd.SysProcAttr = p.Env, Attributes()
	s.cmd.SysProcAttr.Credential = p.Credential
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	var err error
	if s.exited, err = Start(s.cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Path, err)
	}
	if err = s.await(ctx, p.Ready); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w\n%s", p.Path, err, s.Log())
	}
	return s, nil
}

// PID is the process's number.
func (s *Process) PID() int { return s.cmd.Process.Pid }

// Log is what the program has written so far.
func (s *Process) Log() string { return s.log.String() }

// Stop asks the program to end, waits, and kills it if it does not. It may be called more than once.
func (s *Process) Stop() { s.Signal(syscall.SIGTERM) }

// Signal is Stop with another signal.
func (s *Process) Signal(signal syscall.Signal) {
	_ = s.cmd.Process.Signal(signal) // it may have exited
	ctx, cancel := patience.Usual().Context(context.Background(), s.cmd.Process.Pid)
	defer cancel()
	select {
	case <-s.exited:
		return
	case <-ctx.Done():
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

func (s *Process) await(ctx context.Context, ready func(context.Context) error) error {
	ctx, cancel := patience.Usual().Context(ctx, s.cmd.Process.Pid)
	defer cancel()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("it has exited")
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w", err)
		case <-poll.C:
		}
	}
}

// Listens is ready when the address takes connections.
func Listens(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// FreeAddress is one on loopback that nobody listens on at the moment.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// lockedBuffer is written by the process and read at the same time.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
