package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/keys"
)

// The files of the data folder, beside those of the keys.
const (
	databaseFile = "spotter.db"
	auditFile    = "audit.log"
	// galleriesFolder has collections in files, which may be removed at any time.
	galleriesFolder = "galleries"
)

func dataFile(s *config.Server, name string) string { return filepath.Join(string(s.Data), name) }

func keyPlace(s *config.Server) keys.Place {
	return keys.Place{File: s.SecretKey(), Shared: s.Database != ""}
}

// openData opens what outlives the process: database, queue, keys, audit log.
func (s *server) openData(ctx context.Context) (err error) {
	if err = os.MkdirAll(string(s.config.Data), 0o700); err != nil {
		return &fault.UsageError{Err: fmt.Errorf("data folder: %w", fault.Plain(err))}
	}
	if s.db, err = openDatabase(ctx, &s.config, s.log); err != nil {
		return err
	}
	s.onClose(s.db.close)
	if s.config.CheckDatabase {
		if err = s.db.check(ctx); err != nil {
			return fault.Usage(err)
		}
	}
	if err = s.openQueue(); err != nil {
		return err
	}
	s.store = s.db.store(s.queue.Enqueue)
	if err = s.openAudit(); err != nil {
		return err
	}
	if !s.config.Serves() {
		return nil
	}
	return s.openKeys(ctx)
}

// openKeys opens the access keys of those who send requests, and makes the first.
func (s *server) openKeys(ctx context.Context) (err error) {
	if s.keys, err = keys.Open(ctx, s.store, keyPlace(&s.config), s.request.Now); err != nil {
		return err
	}
	for _, id := range s.keys.Lost() {
		s.log.LogAttrs(ctx, slog.LevelError, "the secret of an access key cannot be opened: it lets nobody in, delete it", slog.String("key", id))
	}
	s.newKey, err = s.keys.First(ctx, dataFile(&s.config, keys.CredentialsName), awsapi.Administrator())
	return err
}

// mostPlans is how many plans wait for downloads at once, whatever open-jobs says.
const mostPlans = 1000

func (s *server) openQueue() (err error) {
	queue := jobs.Default()
	queue.Workers, queue.Recover, queue.Logger, queue.Now = engine.Workers(s.engineConfig), !s.db.shared, s.log, s.request.Now
	queue.Serves = s.config.Serves()
	queue.Plans = min(s.config.MostOpenJobs(), mostPlans) // each may wait for a download of its own
	s.queue, err = jobs.New(s.db.queue, queue)
	return err
}
