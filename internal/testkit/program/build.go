package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // the go command builds what is to be run
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// modfile marks the root of the repository, and pins the programs' versions.
const modfile = "tools/go.mod"

// ErrBuild means that a program could not be built; mostly because its source could not be fetched.
var ErrBuild = errors.New("build a program for tests")

// Build builds a command, given by its import path or as ./folder below the tools' folder, and returns the program's path.
// It must be called from within the repository. It costs a fifth of a second if the program is there already.
func Build(ctx context.Context, command string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "build", "tools")
	if err = os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("make the folder of built tools: %w", err)
	}
	file := filepath.Join(folder, path.Base(command))
	// Tests of several packages run at the same time: one builds, the others wait.
	unlock, err := lock(file + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	cmd := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(root, "tools"), "-trimpath", "-buildvcs=false", "-o", file, command) //nolint:gosec // G204: a command of the tools' module
	// Tests may run with flags of their own, which are not for this.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s: %w: %s", ErrBuild, command, err, strings.TrimSpace(stderr.String()))
	}
	return file, nil
}

// Root is the repository's folder: the working directory, or one above it.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, modfile)); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("find the repository: no %s above the working directory", modfile)
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // G304: a path of this package's making
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return func() { _ = f.Close() }, nil // which unlocks
}
