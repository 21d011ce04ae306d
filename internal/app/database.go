package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// database is where rows are kept: in a file of this machine, or on a server that processes share.
type database struct {
	queue jobs.Engine
	// shared says that other processes may work on it at the same time.
	shared bool
	// store is what is kept; tasks go to enqueue.
	store func(enqueue enqueuing) service.Store
	// check reads everything and says what is damaged; nil where that is left to others.
	check func(context.Context) error
	close func() error
}

type enqueuing = func(ctx context.Context, tx *sql.Tx, tasks []service.Task) error

// openDatabase opens a server's database, and brings its tables up to date.
func openDatabase(ctx context.Context, s *config.Server, log *slog.Logger) (*database, error) {
	if s.Database != "" {
		from, to, err := postgres.Migrate(ctx, string(s.Database), func() {
			log.LogAttrs(ctx, slog.LevelInfo, "another process is bringing the database's tables up to date: waiting for it")
		}, migrateQueue)
		if err != nil {
			return nil, sharedFault(err)
		}
		if from != to {
			log.LogAttrs(ctx, slog.LevelInfo, "the database's tables are up to date", slog.Int64("from", from), slog.Int64("to", to))
		}
		return openShared(ctx, s)
	}
	db, err := sqlite.Open(ctx, dataFile(s, databaseFile))
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	own := ofSQLite(db)
	if err = jobs.Migrate(ctx, own.queue); err != nil {
		return nil, errors.Join(err, own.close())
	}
	return own, nil
}

// migrateQueue makes the queue's tables beside the others.
func migrateQueue(ctx context.Context, db *postgres.DB) error {
	return jobs.Migrate(ctx, jobs.PostgreSQL(db.SQL(), db.Listener()))
}

// openBeside opens the database that a server has made, whether or not it is running.
func openBeside(ctx context.Context, s *config.Server) (*database, error) {
	if s.Database != "" {
		return openShared(ctx, s)
	}
	if err := needDatabase(s); err != nil {
		return nil, err
	}
	db, err := sqlite.OpenBeside(ctx, dataFile(s, databaseFile))
	if err != nil {
		return nil, &fault.UsageError{Err: err}
	}
	return ofSQLite(db), nil
}

// needDatabase says where a database is missed, before somebody else does in other words.
func needDatabase(s *config.Server) error {
	_, err := os.Stat(dataFile(s, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &fault.UsageError{Err: fmt.Errorf("there is no database in the folder %s: --data or --config names the server's, "+
			"and 'spotter serve' makes a new one", string(s.Data))}
	}
	if err != nil {
		return &fault.UsageError{Err: fmt.Errorf("open the database: %w", fault.Plain(err))}
	}
	return nil
}

func openShared(ctx context.Context, s *config.Server) (*database, error) {
	db, err := postgres.Open(ctx, string(s.Database))
	if err != nil {
		return nil, sharedFault(err)
	}
	return &database{
		queue: jobs.PostgreSQL(db.SQL(), db.Listener()), shared: true,
		store: func(enqueue enqueuing) service.Store { return postgres.New(db, enqueue) },
		close: db.Close,
	}, nil
}

// sharedFault is why a PostgreSQL database could not be opened: it is not there, or what was asked for is wrong.
func sharedFault(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if postgres.Away(err) {
		return &fault.EnvironmentError{Err: err, Mend: "Start the database, or correct the host and port in --database; then try again."}
	}
	return &fault.UsageError{Err: err}
}

func ofSQLite(db *sqlite.DB) *database {
	return &database{
		queue: jobs.SQLite(db.Writer()),
		store: func(enqueue enqueuing) service.Store { return sqlite.New(db, enqueue) },
		check: db.Check, close: db.Close,
	}
}

// Migration is what has been done to a database's tables.
type Migration struct {
	// From and To are versions of the tables; the same where nothing was to be done.
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Migrate makes the tables of the PostgreSQL database that the settings name, or brings them up to date, while servers of the version before run.
// Where another process is doing so, waiting is called and its end waited for.
func Migrate(ctx context.Context, s config.Server, waiting func()) (*Migration, error) {
	if s.Database == "" {
		return nil, &fault.UsageError{Err: errors.New("no database is named: --database is the URL of a PostgreSQL database; " +
			"one in a data folder is brought up to date by 'spotter serve'")}
	}
	from, to, err := postgres.Migrate(ctx, string(s.Database), waiting, migrateQueue)
	if err != nil {
		return nil, sharedFault(err)
	}
	return &Migration{From: from, To: to}, nil
}
