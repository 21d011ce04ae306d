package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// File appends notices to a file, one JSON object a line: {"id": ..., "topic": ..., "message": {...}}. The file is made if
// it is not there, and opened for each notice, so that it may be moved away at any time. It is for tests and for setups
// where something local reads along.
type File struct {
	// Name is explained with [Sink].
	Name string
	Path string
}

func (f File) label() string { return sinkName(f.Name, "file", filepath.Base(f.Path), f.Path) }

func (f File) open(environment) (sender, error) {
	if f.Path == "" {
		return nil, errors.New("path: it is empty; name a file to append to")
	}
	return &file{path: f.Path}, nil
}

type file struct {
	path string
	mu   sync.Mutex // one line at a time
}

type fileLine struct {
	ID      string          `json:"id"`
	Topic   string          `json:"topic"`
	Message json.RawMessage `json:"message"`
}

func (f *file) send(_ context.Context, m *message) error {
	line, err := encode(fileLine{ID: m.id, Topic: m.topic, Message: m.body})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.append(append(line, '\n'))
}

func (f *file) close() error { return nil }

func (f *file) append(line []byte) (err error) {
	// Reading too, because that is how a pipe opens without waiting for its other end.
	out, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("append to the file: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	torn, err := endsTorn(out)
	if err != nil {
		return fmt.Errorf("append to %s: %w", f.path, err)
	}
	if torn {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := out.Write(line); err != nil {
		return fmt.Errorf("append to %s: %w", f.path, err)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("append to %s: %w", f.path, err)
	}
	return nil
}

// endsTorn says whether the last line was not written to its end, as when the disk was full.
func endsTorn(f *os.File) (bool, error) {
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, errors.New("it is not a regular file")
	case info.Size() == 0:
		return false, nil
	}
	var first, last [1]byte
	if _, err = f.ReadAt(first[:], 0); err == nil {
		_, err = f.ReadAt(last[:], info.Size()-1)
	}
	if err == nil && first[0] != '{' {
		err = errors.New("it holds something else than notices, and is left as it is: name another file")
	}
	return last[0] != '\n', err
}
