// Package unprivileged runs a test once more as a user without rights: what root may do tells nothing of what others meet.
package unprivileged

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec" //nolint:depguard // the tests' own program
	"path/filepath"
	"syscall"
)

// Run runs a test of the running test program in a process of a user without rights, in a folder of that user's. The error
// is one of [fs.ErrPermission] where no such process can be started; out is what the test says.
func Run(ctx context.Context, test string) (out []byte, err error) {
	const nobody = 65534
	// The test program lies where only its builder may go, and so do its temporary folders.
	program, err := os.ReadFile(os.Args[0]) //nolint:gosec // G703: the test itself
	if err != nil {
		return nil, fmt.Errorf("read the test program: %w", err)
	}
	folder, err := os.MkdirTemp("", "unprivileged")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	copied := filepath.Join(folder, "program")
	err = errors.Join(os.WriteFile(copied, program, 0o600), os.Chmod(copied, 0o755), os.Chown(folder, nobody, nobody)) //nolint:gosec // it is to be run
	if err != nil {
		return nil, fmt.Errorf("copy the test program: %w", err)
	}
	cmd := exec.CommandContext(ctx, copied, "-test.run", "^"+test+"$", "-test.v") //nolint:gosec // G204: the test itself
	cmd.Dir, cmd.Env = folder, []string{"TMPDIR=" + folder}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd.CombinedOutput()
}

// Cannot says whether an error of Run means that no process of another user can be started here.
func Cannot(err error) bool { return errors.Is(err, fs.ErrPermission) }
