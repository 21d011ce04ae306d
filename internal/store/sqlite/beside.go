package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

var errEmpty = errors.New("it is empty: start the server once, which makes its tables")

// OpenBeside opens a database that is there already, whether or not another process has it open: for the short work of an
// operator beside a server, or without one. Nothing is made and nothing is brought up to date; a database of another
// version than this program's is refused, as is what [Open] refuses. Without a file the error is [fs.ErrNotExist].
//
// Both processes may write: each waits some seconds for the other's transaction. Tasks must not be enqueued, as their owner
// is the process that has called [Open].
func OpenBeside(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db, err := openBeside(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

func openBeside(ctx context.Context, path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	empty, err := checkOurs(ctx, path)
	if err != nil {
		return nil, err
	}
	if empty {
		return nil, errEmpty
	}
	db := &DB{release: func() error { return nil }}
	if err := db.connect(ctx, path, current); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
