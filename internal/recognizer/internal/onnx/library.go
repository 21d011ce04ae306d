package onnx

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// loaded counts the users of onnxruntime's one environment in this process.
//
//nolint:gochecknoglobals // the library itself is loaded once per process; this only counts its users
var loaded struct {
	sync.Mutex
	users int
	path  string
}

// Library is onnxruntime, loaded. It may be used by several goroutines.
type Library struct {
	path   string
	close  sync.Once
	models models
}

// Open loads the library at path, once per process: opening it again shares it, opening another file while it is open
// is an error.
func Open(path string) (*Library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.users > 0 {
		if path != loaded.path {
			return nil, fmt.Errorf("load onnxruntime %s: %s is loaded already", path, loaded.path)
		}
		loaded.users++
		return &Library{path: path}, nil
	}
	if err := checkWhole(path); err != nil {
		return nil, fmt.Errorf("load onnxruntime %s: %w", path, err)
	}
	// The library can send usage data home; this program never does. To switch that off once the library is there is too
	// late: by then its telemetry has run, and has left files in the folder of temporary ones (onnxruntime 1.30 on Linux).
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return nil, fmt.Errorf("load onnxruntime %s: keep it from sending usage data: %w", path, err)
	}
	ort.SetSharedLibraryPath(path)
	// Warnings are about graph hints that are wrong on purpose (free input sizes); errors come back as errors.
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return nil, fmt.Errorf("load onnxruntime %s: %w", path, err)
	}
	// Other versions of the library may not heed the variable.
	if err := ort.DisableTelemetry(); err != nil {
		return nil, errors.Join(fmt.Errorf("load onnxruntime %s: %w", path, err), ort.DestroyEnvironment())
	}
	loaded.users, loaded.path = 1, path
	return &Library{path: path}, nil
}

// checkWhole refuses a library that is cut off, as after a copy onto a full disk: the system's loader maps such a file
// without complaint, and the process dies of SIGBUS in it. Other systems than Linux have other formats and loaders.
func checkWhole(path string) (err error) {
	if runtime.GOOS != "linux" {
		return nil
	}
	info, err := os.Stat(path) //nolint:gosec // G703: the user names the library
	if err != nil {
		return err
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("the file is cut off, or no shared library: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for _, p := range f.Progs {
		if size := uint64(info.Size()); p.Off > size || p.Filesz > size-p.Off { //nolint:gosec // G115: a size is positive
			return errors.New("the file is cut off")
		}
	}
	return nil
}

// Path is the file that was loaded.
func (l *Library) Path() string { return l.path }

// Version is the library's own version, as 1.30.0.
func (l *Library) Version() string { return ort.GetVersion() }

// Close gives the library up; the last user's Close unloads it. All sessions must be closed before. It may be called
// more than once.
func (l *Library) Close() (err error) {
	l.close.Do(func() {
		loaded.Lock()
		defer loaded.Unlock()
		if loaded.users--; loaded.users == 0 {
			err = ort.DestroyEnvironment()
		}
	})
	return err
}
