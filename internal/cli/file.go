package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/app"
)

// outputFile is a file that appears under its name only when it is complete: until then it is a hidden one beside it.
// A name that leads to something else than a file, such as a pipe or a device, is written to directly.
type outputFile struct {
	*os.File
	path string // what it becomes; empty where it is written to directly
	done bool
}

// createOutput opens a file to be written. It is done before the work begins, so that an hour is not spent on results
// that cannot be saved.
func createOutput(path string) (*outputFile, error) {
	target := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		target = resolved // a link is kept, and what it leads to is replaced
	}
	info, err := os.Stat(target)
	switch {
	case err == nil && info.IsDir():
		return nil, &app.UsageError{Err: fmt.Errorf("%s is a folder; name the file to be written", path)}
	case err == nil && !info.Mode().IsRegular():
		return openDirectly(path)
	}
	f, err := createBeside(target)
	if err != nil {
		return nil, cannotWrite(path, err)
	}
	return &outputFile{File: f, path: target}, nil
}

func openDirectly(path string) (*outputFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // the user names it
	if err != nil {
		return nil, cannotWrite(path, err)
	}
	return &outputFile{File: f}, nil
}

// createBeside makes a new hidden file in the folder of path. Unlike os.CreateTemp's it may be read by whom the umask
// allows, as it is going to be somebody's result.
func createBeside(path string) (*os.File, error) {
	for i := 0; ; i++ {
		name := fmt.Sprintf(".%s.%d-%d.tmp", filepath.Base(path), os.Getpid(), i)
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // as said
		if !errors.Is(err, fs.ErrExist) || i > 100 {
			return f, err
		}
	}
}

func cannotWrite(path string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return &app.UsageError{Err: fmt.Errorf("cannot write %s: %w", path, err)}
}

// Commit gives the file its name.
func (f *outputFile) Commit() error {
	err := f.Close()
	if err == nil && f.path != "" {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	f.done = true
	return nil
}

// Discard removes the file if it was not committed. It may be called after Commit, to no effect.
func (f *outputFile) Discard() {
	if f.done {
		return
	}
	f.done = true
	_ = f.Close() // nothing of it is kept
	if f.path != "" {
		_ = os.Remove(f.Name()) // what cannot be removed stays, hidden and named as temporary
	}
}
