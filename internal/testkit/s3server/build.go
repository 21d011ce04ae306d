package s3server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // the server under test is a program of its own
	"path/filepath"
	"strings"
	"syscall"
)

// The program and the file that pins its version.
const (
	module  = "github.com/versity/versitygw"
	program = module + "/cmd/versitygw"
	modfile = "tools/go.mod"
)

// errBuild means that the program could not be built; mostly because its source could not be fetched.
var errBuild = errors.New("build the S3 server for tests")

// binary is the path of the program, which is built if it is not there yet.
func binary(ctx context.Context) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	version, err := output(ctx, root, "list", "-modfile="+modfile, "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(root, "build", "tools")
	path := filepath.Join(folder, "versitygw-"+version)
	if err = os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("make the folder of built tools: %w", err)
	}
	// Tests of several packages run at the same time: one builds, the others wait.
	unlock, err := lock(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if _, err := output(ctx, root, "build", "-modfile="+modfile, "-trimpath", "-o", path+".new", program); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}

// repository is the folder that tests of this module run below.
func repository() (string, error) {
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

// output runs the go command in a folder.
func output(ctx context.Context, folder string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // G204: the arguments are this package's
	cmd.Dir = folder
	// Tests may run with flags of their own, which are not for this.
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: go %s: %w: %s", errBuild, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
