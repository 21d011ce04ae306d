package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/transfer"
)

// CopyRequest says what is copied where.
type CopyRequest struct {
	// From is a server's data folder, or sqlite: and a database file. To is the URL of a PostgreSQL database.
	From, To string
	// Progress is told rows of how many of a table have been copied, or compared (the step).
	Progress func(step, table string, rows, of int64)
}

// CopyResult is what was copied, and compared.
type CopyResult struct {
	transfer.Result
	// KeyFile is what the secrets of access keys are sealed with, which is not in the database.
	KeyFile string `json:"key_file"`
}

// Copy copies everything that a server of one process keeps into a PostgreSQL database. No server may run on either.
func Copy(ctx context.Context, r CopyRequest) (_ *CopyResult, err error) {
	path, err := sourceFile(r.From)
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	if !strings.HasPrefix(r.To, "postgres://") && !strings.HasPrefix(r.To, "postgresql://") {
		return nil, &fault.UsageError{Err: errors.New("--to is the URL of a PostgreSQL database: postgres://USER@HOST:PORT/DATABASE")}
	}
	from, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if _, _, err = postgres.Migrate(ctx, r.To, func() {}, migrateQueue); err != nil {
		return nil, sharedFault(err)
	}
	to, err := postgres.Open(ctx, r.To)
	if err != nil {
		return nil, sharedFault(err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	done, err := transfer.ToPostgreSQL(ctx, from, to, r.Progress)
	if errors.Is(err, transfer.ErrNotEmpty) {
		return nil, &fault.UsageError{Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("nothing was copied: %w", err)
	}
	return &CopyResult{Result: *done, KeyFile: filepath.Join(filepath.Dir(path), keys.FileName)}, nil
}

// sourceFile is the database that is copied.
func sourceFile(from string) (string, error) {
	path, isFile := strings.CutPrefix(from, "sqlite:")
	if !isFile {
		path = filepath.Join(from, databaseFile)
	}
	if from == "" || path == "" {
		return "", errors.New("--from is a server's data folder, or sqlite: and a database file")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no database %s: --from is a server's data folder, or sqlite: and a database file", path)
	}
	return path, nil
}
