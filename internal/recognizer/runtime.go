package recognizer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
)

// RuntimeName is the file name of onnxruntime's shared library on this system.
func RuntimeName() string {
	if runtime.GOOS == "darwin" {
		return "libonnxruntime.1.dylib"
	}
	return "libonnxruntime.so.1"
}

// Runtime is onnxruntime, loaded. It is shared by all recognizers of a process.
type Runtime struct{ library *onnx.Library }

// NewRuntime loads onnxruntime's shared library from a file. If libPath is empty it is looked for in runtime/ beside
// each pack folder given, beside the executable (there, in runtime/ and in ../models/runtime/), and in the system's
// library folders, in that order.
func NewRuntime(libPath string, packDirs ...string) (*Runtime, error) {
	if libPath == "" {
		found, err := FindRuntime(packDirs...)
		if err != nil {
			return nil, err
		}
		libPath = found
	}
	library, err := onnx.Open(libPath)
	if err != nil {
		return nil, err
	}
	return &Runtime{library: library}, nil
}

// FindRuntime says which file NewRuntime would load if it were not told.
func FindRuntime(packDirs ...string) (string, error) {
	var folders []string
	for _, dir := range packDirs {
		folders = append(folders, filepath.Join(dir, "..", "runtime"))
	}
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		folders = append(folders, dir, filepath.Join(dir, "runtime"), filepath.Join(dir, "..", "models", "runtime"))
	}
	folders = append(folders, "/usr/local/lib", "/usr/lib/"+multiarch(), "/usr/lib64", "/usr/lib")
	for _, dir := range folders {
		path := filepath.Join(dir, RuntimeName())
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("onnxruntime's library %s is in none of %q; 'make setup' puts it into models/runtime",
		RuntimeName(), folders)
}

// multiarch is Debian's name of the folder for this architecture's libraries.
func multiarch() string {
	if runtime.GOARCH == "arm64" {
		return "aarch64-linux-gnu"
	}
	return "x86_64-linux-gnu"
}

// Path is the library's file.
func (r *Runtime) Path() string { return r.library.Path() }

// Version is the library's version.
func (r *Runtime) Version() string { return r.library.Version() }

// Close unloads the library when its last user closes it. All recognizers must be closed before. It may be called more
// than once.
func (r *Runtime) Close() error { return r.library.Close() }

// closeAll closes several things and joins what goes wrong.
func closeAll(closers ...func() error) error {
	var err error
	for _, c := range closers {
		err = errors.Join(err, c())
	}
	return err
}
