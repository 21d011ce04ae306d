package program

import (
	"os"
	"os/signal"
	"syscall"
)

// TakeSignals lets programs that are started from here on take notice of SIGINT and SIGHUP, though this process may have
// been started to ignore them, as nohup and a shell's & do, which is inherited. The process ignores them as before, and
// programs do again after restore.
func TakeSignals() (restore func()) {
	taken := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(taken, s)
		}
	}
	return func() { signal.Stop(taken) }
}
