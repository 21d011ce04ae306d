package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Process is what the program has of the world: its arguments, streams, environment and clock.
type Process struct {
	// Args are the arguments without the program's own name.
	Args   []string
	Stdout io.Writer
	Stderr io.Writer
	// LookupEnv reads the environment, as os.LookupEnv does.
	LookupEnv func(string) (string, bool)
	Now       func() time.Time

	// hangUps are the SIGHUPs that the process gets; nil for none.
	hangUps *hangUps
}

// Main runs one command line until it is done or ctx ends, and returns the exit status. What goes wrong has been
// written to Stderr by then.
func Main(ctx context.Context, p Process) Status {
	p.hangUps = new(hangUps)
	ctx, stop := stoppable(ctx, p.Stderr, p.hangUps)
	defer stop()
	return run(ctx, p)
}

// hangUps are SIGHUPs: a terminal that goes away stops a command, whereas a server is asked to read its settings again. Safe for
// concurrent use.
type hangUps struct{ taken atomic.Pointer[chan struct{}] }

// take has them told, instead of stopping the command. One that comes while another waits is the same as that.
func (h *hangUps) take() <-chan struct{} {
	if h == nil {
		return nil
	}
	told := make(chan struct{}, 1)
	h.taken.Store(&told)
	return told
}

// tell says whether somebody takes them.
func (h *hangUps) tell() bool {
	told := h.taken.Load()
	if told == nil {
		return false
	}
	select {
	case *told <- struct{}{}:
	default:
	}
	return true
}

// stoppable is a context that ends when the process is asked to stop. The first request stops in good order; after
// that signals have their usual effect again, so a second one kills.
func stoppable(parent context.Context, stderr io.Writer, hung *hangUps) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	asked := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup wants it
			signal.Notify(asked, s)
		}
	}
	// A reader of our output that goes away must not kill us before files have been cleaned up: caught, the signal
	// becomes an error of the write. (Ignored, it would be ignored in child processes as well.)
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			select {
			case s := <-asked:
				if s == syscall.SIGHUP && hung.tell() {
					continue
				}
				signal.Stop(asked)
				fmt.Fprintln(stderr, "\nstopping (once more to stop at once)")
				cancel()
			case <-ctx.Done():
			}
			return
		}
	}()
	return ctx, func() {
		cancel()
		<-gone
		signal.Stop(asked)
		signal.Stop(pipe)
	}
}

// terminalColumns returns a function that asks for the width of the terminal behind a stream, or nil where it is none.
func terminalColumns(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func() int {
		columns, _, err := term.GetSize(int(f.Fd()))
		if err != nil || columns <= 0 {
			return 80
		}
		return columns
	}
}
