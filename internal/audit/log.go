package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

// Log appends entries to a file, one JSON document a line. Safe for concurrent use, also by several processes. When
// the file has been moved away or removed the next entry begins a new one of the same name.
//
// An entry is written before Write returns and outlives the process; a machine that loses power may lose the last
// seconds. Close it.
type Log struct {
	path string
	mu   sync.Mutex // guards what follows
	file *os.File   // nil when closed
	// torn says that the file's last line may be incomplete.
	torn bool
}

// ErrClosed says that an entry came after the end.
var ErrClosed = errors.New("the audit log is closed")

// Open opens the file, or makes one that only its owner can read.
func Open(path string) (*Log, error) {
	a := &Log{path: path}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

// open goes on in the file that has the name now. If that cannot be opened the old one is kept.
func (a *Log) open() error {
	file, err := openToAppend(a.path)
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	torn, err := endsWithin(file)
	if err != nil {
		return errors.Join(fmt.Errorf("look at the audit log: %w", err), file.Close())
	}
	old := a.file
	a.file, a.torn = file, torn
	return closed(old)
}

func openToAppend(path string) (*os.File, error) {
	const how = os.O_RDWR | os.O_CREATE | os.O_APPEND
	file, err := os.OpenFile(path, how|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(path, how, 0o600) //nolint:gosec // as above
	}
	if err != nil {
		return nil, err
	}
	if err := adopt(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// follow opens the file anew if it has been moved away. Looking at a name takes about a microsecond, so it is done for
// every entry: none goes into a file that is about to be compressed.
func (a *Log) follow() error {
	mine, err := a.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the audit log: %w", err)
	}
	named, err := os.Stat(a.path)
	if err == nil && os.SameFile(mine, named) {
		return nil
	}
	return a.open()
}

// endsWithin says whether a file's last line has no end, as after a crash or on a full disk.
func endsWithin(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return false, err
	}
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return last[0] != '\n', err
}

// Write appends an entry.
func (a *Log) Write(e Entry) error {
	e.Time = e.Time.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	line = append(line, '\n')
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return ErrClosed
	}
	// An entry in the old file is better than none.
	return errors.Join(a.follow(), a.append(line))
}

// append writes a line in one piece, so that those of several processes do not mix.
func (a *Log) append(line []byte) error {
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.file.Write(line)
	if n > 0 {
		a.torn = n < len(line)
	}
	if err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	return nil
}

// Close writes everything to the disk. It may be called again.
func (a *Log) Close() error {
	a.mu.Lock()
	old := a.file
	a.file = nil
	a.mu.Unlock()
	return closed(old)
}

func closed(file *os.File) error {
	if file == nil {
		return nil
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("close the audit log: %w", err)
	}
	return nil
}
