package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// OperatorRequest is what an operator's commands need beside the settings.
type OperatorRequest struct {
	// User is the name of who gives the command, for the audit log.
	User string
	Now  func() time.Time
}

// Operator looks after what a server keeps: access keys and jobs. It works on the data folder itself, beside a running
// server or without one; what it changes holds at once. Every change is written to the audit log. Close it.
//
// Errors of its methods are [*fault.UsageError] for what does not exist or cannot be meant, [*fault.EnvironmentError], and the system's.
type Operator struct {
	engineConfig config.Config
	config       config.Server
	request      OperatorRequest
	db           *database
	store        service.Store
}

// OpenOperator opens the data folder that the settings name.
func OpenOperator(ctx context.Context, c config.Config, s config.Server, r OperatorRequest) (*Operator, error) {
	db, err := openBeside(ctx, &s)
	if err != nil {
		return nil, err
	}
	return &Operator{engineConfig: c, config: s, request: r, db: db, store: db.store(notHere)}, nil
}

var errNotHere = errors.New("only the server enqueues tasks")

// notHere keeps an operator from enqueuing: no command begins anything.
func notHere(context.Context, *sql.Tx, []service.Task) error { return errNotHere }

// Close closes the database. It may be called again.
func (o *Operator) Close() error { return o.db.close() }

// BackupCopy is a copy of a database.
type BackupCopy struct {
	File string `json:"file"`
	Size int64  `json:"size"` // bytes
	// KeyFile is what the secrets in the copy are sealed with. It is not in the copy.
	KeyFile string `json:"key_file"`
}

// Backup writes the database into a new file (mode 0600), which a server can be started with, while others go on reading
// and writing. It needs no database of this program's version.
func Backup(ctx context.Context, s config.Server, path string) (*BackupCopy, error) {
	if s.Database != "" {
		return nil, &fault.UsageError{Err: errors.New("the rows are in a PostgreSQL database, which its own tools copy: pg_dump, or pg_basebackup with " +
			"the log of writes for any moment")}
	}
	if err := needDatabase(&s); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(path); err == nil {
		return nil, &fault.UsageError{Err: fmt.Errorf("%s is there already, and is not overwritten: name a new file", path)}
	}
	if err := sqlite.BackupFile(ctx, dataFile(&s, databaseFile), path); err != nil {
		return nil, fault.Usage(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return &BackupCopy{File: path, Size: info.Size(), KeyFile: s.SecretKey()}, nil
}

// quiet is for what a server logs, and a command tells by itself.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
