package crashtest

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestWhatKeepsAServerFromStarting makes what operators make, and wants a sentence that says what is wrong, and where it is
// not plain what to do.
func TestWhatKeepsAServerFromStarting(t *testing.T) { //nolint:tparallel // its faults share a folder
	t.Parallel()
	b := newBed(t)
	first := b.start(t).listening()
	address := strings.TrimPrefix(first.url, "http://")
	running := map[string]fault{
		"the folder has a server": {says: []string{"spotter.db", "process", "has it open", "stop that one first"}, status: 2},
		"the port is taken":       {args: []string{"--listen", address, "--data", "other"}, says: []string{address, "in use", "--listen"}, status: 2},
	}
	for name, f := range running {
		t.Run(name, func(t *testing.T) { f.check(t, b) })
	}
	first.stop()
	for name, f := range faults(b) {
		t.Run(name, func(t *testing.T) {
			f.check(t, b)
			f.undo(t)
			b.start(t).listening().stop() // nothing was spoilt
		})
	}
}

// fault is something that a server cannot start with.
type fault struct {
	spoil, mend func() error
	args        []string
	says        []string
	status      int
}

func faults(b *bed) map[string]fault {
	key, database := filepath.Join(b.data(), "secret.key"), filepath.Join(b.data(), "spotter.db")
	away := func(path string) (take, put func() error) {
		return func() error { return os.Rename(path, path+".away") }, func() error {
			_ = os.Remove(path)
			return os.Rename(path+".away", path)
		}
	}
	mode := func(path string, bad, good os.FileMode) (spoil, mend func() error) {
		return func() error { return os.Chmod(path, bad) }, func() error { return os.Chmod(path, good) }
	}
	list := map[string]fault{}
	add := func(name string, spoil, mend func() error, status int, says ...string) {
		list[name] = fault{spoil: spoil, mend: mend, status: status, says: says}
	}
	take, put := away(key)
	add("the key file is missing", take, put, 5, key, "missing", "put it back")
	spoil, mend := mode(key, 0o644, 0o600)
	add("the key file can be read by others", spoil, mend, 5, key, "can be used by others", "chmod 600")
	spoil, mend = mode(key, 0, 0o600)
	add("the key file cannot be read", spoil, mend, 5, key, "permission denied", "chown")
	take, put = away(database)
	add("the database is new and the credentials are not", take, put, 2, "credentials", "knows no keys", "move it away")
	spoil, mend = mode(database, 0o400, 0o600)
	add("the database is read-only", spoil, mend, 2, database, "permission denied")
	spoil, mend = mode(b.data(), 0o500, 0o700)
	add("the folder is read-only and the log of the database gone", spoil, mend, 2, b.data(), "permission denied")
	return list
}

func (f fault) check(t *testing.T, b *bed) {
	t.Helper()
	if f.spoil != nil {
		if err := f.spoil(); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"serve", "--config", b.settings()}, f.args...)
	s := b.launch(t, &syscall.SysProcAttr{}, b.environment(ordinaryVariable+"=1"), args...)
	state := s.wait()
	text := s.record.text()
	t.Logf("%v: %s", state, text)
	if state.ExitCode() != f.status {
		t.Errorf("the exit status is %d, want %d", state.ExitCode(), f.status)
	}
	for _, want := range f.says {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(text, "panic") || strings.Contains(text, "goroutine") {
		t.Error("it panics")
	}
}

func (f fault) undo(t *testing.T) {
	t.Helper()
	if f.mend == nil {
		return
	}
	if err := f.mend(); err != nil {
		t.Fatal(err)
	}
}
