package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

// The files of the data folder.
const (
	databaseFile    = "spotter.db"
	keyFileName     = "secret.key"
	credentialsFile = "credentials"
	auditFile       = "audit.log"
)

func dataFile(s *config.Server, name string) string { return filepath.Join(string(s.Data), name) }

// openData opens what outlives the process: database, queue, keys, audit log.
func (s *server) openData(ctx context.Context) (err error) {
	if err = os.MkdirAll(string(s.config.Data), 0o700); err != nil {
		return &UsageError{fmt.Errorf("data folder: %w", plain(err))}
	}
	if s.db, err = sqlite.Open(ctx, dataFile(&s.config, databaseFile)); err != nil {
		return &UsageError{err}
	}
	s.onClose(s.db.Close)
	if s.config.CheckDatabase {
		if err = s.db.Check(ctx); err != nil {
			return usage(err)
		}
	}
	if err = s.openQueue(ctx); err != nil {
		return err
	}
	s.store = sqlite.New(s.db, s.queue.Enqueue)
	if s.keys, err = openKeyring(ctx, s.store, &s.config, s.request.Now); err != nil {
		return err
	}
	for _, id := range s.keys.lost {
		s.log.LogAttrs(ctx, slog.LevelError, "the secret of an access key cannot be opened: it lets nobody in, delete it", slog.String("key", id))
	}
	if s.newKey, err = s.keys.first(ctx, dataFile(&s.config, credentialsFile)); err != nil {
		return err
	}
	if s.audit, err = openAudit(dataFile(&s.config, auditFile)); err != nil {
		return &UsageError{err}
	}
	s.onClose(s.audit.Close)
	return nil
}

// mostPlans is how many plans wait for downloads at once, whatever open-jobs says.
const mostPlans = 1000

func (s *server) openQueue(ctx context.Context) (err error) {
	if err = jobs.Migrate(ctx, jobs.SQLite(s.db.Writer())); err != nil {
		return err
	}
	queue := jobs.Default()
	queue.Workers, queue.Recover, queue.Logger, queue.Now = workers(s.engineConfig), true, s.log, s.request.Now
	queue.Plans = min(int(s.config.OpenJobs), mostPlans) // each may wait for a download of its own
	s.queue, err = jobs.New(jobs.SQLite(s.db.Writer()), queue)
	return err
}

// openBeside opens the database that a server has made, whether or not it is running.
func openBeside(ctx context.Context, s *config.Server) (*sqlite.DB, error) {
	if err := needDatabase(s); err != nil {
		return nil, err
	}
	db, err := sqlite.OpenBeside(ctx, dataFile(s, databaseFile))
	if err != nil {
		return nil, &UsageError{err}
	}
	return db, nil
}

// needDatabase says where a database is missed, before somebody else does in other words.
func needDatabase(s *config.Server) error {
	_, err := os.Stat(dataFile(s, databaseFile))
	if errors.Is(err, fs.ErrNotExist) {
		return &UsageError{fmt.Errorf("there is no database in the folder %s: --data or --config names the server's, "+
			"and 'spotter serve' makes a new one", string(s.Data))}
	}
	if err != nil {
		return &UsageError{fmt.Errorf("open the database: %w", plain(err))}
	}
	return nil
}
