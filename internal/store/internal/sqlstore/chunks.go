package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/spotter-video/spotter/internal/service"
)

// SaveChunks implements [service.JobStore]. [service.NotFound] if there is no such job; [service.Conflict] if it has ended:
// its results stay as they are.
func (s *Store) SaveChunks(ctx context.Context, id service.JobID, attempt int64, chunks []service.Chunk) error {
	return s.write(ctx, fmt.Sprintf("save %d chunks of job %s", len(chunks), id), func(tx *sql.Tx) error {
		j, err := lockOpenJob(ctx, tx, id)
		if err != nil {
			return err
		}
		if j == nil {
			return service.Errorf(service.Conflict, "the job %s has ended", id)
		}
		for _, c := range chunks {
			_, err := tx.ExecContext(ctx, `INSERT INTO chunks (job, attempt, kind, number, data) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (job, attempt, kind, number) DO UPDATE SET data = excluded.data`,
				j.serial, attempt, c.Kind, c.Number, blob(c.Data))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Chunks implements [service.JobStore]. A job that is not there has none.
func (s *Store) Chunks(
	ctx context.Context, id service.JobID, kind service.ChunkKind, from, to int,
) ([]service.Chunk, error) {
	var list []service.Chunk
	err := s.look(fmt.Sprintf("read chunks of job %s", id), func(q statements) (err error) {
		list, err = collect(ctx, q, scanChunk, `SELECT c.kind, c.number, c.data
			FROM chunks c JOIN jobs j ON j.serial = c.job AND j.attempt = c.attempt
			WHERE j.id = $1 AND j.state <> 'in-progress' AND c.kind = $2 AND c.number >= $3 AND c.number < $4 ORDER BY c.number`, id, kind, from, to)
		return err
	})
	return list, err
}

func scanChunk(r row, c *service.Chunk) error { return r.Scan(&c.Kind, &c.Number, (*blob)(&c.Data)) }
