package sqlitefile

import (
	"context"
	"errors"
	"os"
)

// OpenBeside opens a file that is there already, whether or not another process has it open: for short work beside that one,
// or without one. Nothing is made and nothing is brought up to date; a file of another version than this program's is refused,
// as is what [Kind.Open] refuses. Without a file the error is [fs.ErrNotExist].
//
// A file with a write-ahead log can be written as well: each process waits some seconds for the other's transaction. One
// without is opened for reading only, in a folder that may be closed for writing.
func (k *Kind) OpenBeside(ctx context.Context, path string) (*DB, error) {
	return k.opened(ctx, path, k.openBeside)
}

func (k *Kind) openBeside(ctx context.Context, path string) (_ *DB, err error) {
	if _, err = os.Stat(path); err != nil {
		return nil, err
	}
	if err = regular(path); err != nil {
		return nil, err
	}
	empty, err := k.check(ctx, path)
	if err != nil {
		return nil, err
	}
	if empty {
		return nil, errors.New("it is empty: " + k.Advice.Empty)
	}
	db := &DB{kind: k, release: func() error { return nil }}
	if k.Log {
		err = db.connectWriter(ctx, path, k.current)
	}
	if err == nil {
		err = db.connectReader(ctx, path)
	}
	if err == nil && !k.Log {
		err = k.current(ctx, db.reader)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
