package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Analyses gives those of a video by their tracks; none if they have not been begun. The error is [ErrDamaged] where one of them is.
func (a *Archive) Analyses(ctx context.Context, video int64) ([]Analysis, error) {
	list, err := a.analyses(ctx, analysisColumns+`WHERE video = $1 ORDER BY track`, video)
	if err != nil {
		return nil, fmt.Errorf("list analyses of video %d: %w", video, err)
	}
	return list, nil
}

// Analysis gives one; [ErrGone] if it is not there, [ErrDamaged] if it is damaged.
func (a *Archive) Analysis(ctx context.Context, id int64) (*Analysis, error) {
	list, err := a.analyses(ctx, analysisColumns+`WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("look for analysis %d: %w", id, err)
	}
	return &list[0], nil
}

const analysisColumns = `SELECT id, video, track, terms, plan, segments, failure,
	EXISTS (SELECT 1 FROM codes WHERE analysis = id) FROM analyses `

func (a *Archive) analyses(ctx context.Context, query string, args ...any) (list []Analysis, err error) {
	rows, err := a.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var x Analysis
		if err := rows.Scan(&x.ID, &x.Video, &x.Track, &x.Terms, &x.Plan, &x.Segments, &x.Failure, &x.Done); err != nil {
			return nil, err
		}
		if err := x.unseal(); err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, rows.Err()
}

// unseal takes the seals off what decides how it was made.
func (x *Analysis) unseal() (err error) {
	x.Terms, err = unseal(x.Terms, x.Video, int64(x.Track), int64(x.Segments), sealedTerms)
	if err == nil {
		x.Plan, err = unseal(x.Plan, x.Video, int64(x.Track), int64(x.Segments), sealedPlan)
	}
	return err
}

// Begin begins the analyses of all tracks of a video, and replaces all that there were, with their segments. It sets the ids;
// none is Done or has failed, whatever the list says. The error is [ErrGone] if there is no such video.
func (a *Archive) Begin(ctx context.Context, video int64, list []Analysis) error {
	ids := make([]int64, len(list))
	err := a.write(ctx, fmt.Sprintf("begin analyses of video %d", video), func(tx *sql.Tx) error {
		if err := present(ctx, tx, `SELECT 1 FROM videos WHERE id = $1`, video); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM analyses WHERE video = $1`, video); err != nil {
			return err
		}
		for i := range list {
			x := &list[i]
			track, segments := int64(x.Track), int64(x.Segments)
			r, err := tx.ExecContext(ctx, `INSERT INTO analyses (video, track, terms, plan, segments, failure)
				VALUES ($1, $2, $3, $4, $5, '')`, video, track,
				seal(x.Terms, video, track, segments, sealedTerms), seal(x.Plan, video, track, segments, sealedPlan), segments)
			if err == nil {
				ids[i], err = r.LastInsertId()
			}
			if err != nil {
				return fmt.Errorf("of track %d: %w", x.Track, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, id := range ids {
		list[i].ID, list[i].Video, list[i].Done, list[i].Failure = id, video, false, ""
	}
	return nil
}

// Saved gives the numbers of the segments that are there, ascending; none for an analysis that is not.
func (a *Archive) Saved(ctx context.Context, analysis int64) ([]int, error) {
	numbers, err := a.saved(ctx, analysis)
	if err != nil {
		return nil, fmt.Errorf("list segments of analysis %d: %w", analysis, err)
	}
	return numbers, nil
}

func (a *Archive) saved(ctx context.Context, analysis int64) (numbers []int, err error) {
	rows, err := a.reader.QueryContext(ctx, `SELECT number FROM segments WHERE analysis = $1 ORDER BY number`, analysis)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// SaveSegment keeps what a segment gave, pictures apart from the rest; of two for one number the first counts. n is below the number of segments that the
// analysis has. The error is [ErrGone] if there is no such analysis.
func (a *Archive) SaveSegment(ctx context.Context, analysis int64, n int, data, pictures []byte) error {
	return a.write(ctx, fmt.Sprintf("save segment %d of analysis %d", n, analysis), func(tx *sql.Tx) error {
		var segments int
		err := tx.QueryRowContext(ctx, `SELECT segments FROM analyses WHERE id = $1`, analysis).Scan(&segments)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrGone
		case err != nil:
			return err
		case n < 0 || n >= segments:
			return fmt.Errorf("it has %d", segments)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO segments (analysis, number, data, pictures) VALUES ($1, $2, $3, $4)
			ON CONFLICT (analysis, number) DO NOTHING`, analysis, n,
			seal(data, analysis, int64(n), sealedData), seal(pictures, analysis, int64(n), sealedPictures))
		return err
	})
}

// EachSegment calls a function for each segment that is there, ascending; data and pictures are valid during the call only, and there are
// no pictures where they are not wanted. See the package's
// comment for what is seen of changes meanwhile. An error of the function ends it and is returned. The error is [ErrGone] if
// there is no such analysis, or none any more: then some segments were not given. It is [ErrDamaged] at the first segment that is.
func (a *Archive) EachSegment(ctx context.Context, analysis int64, pictures bool, each func(n int, data, pictures []byte) error) error {
	query := segmentQuery(`x''`)
	if pictures {
		query = segmentQuery(`pictures`)
	}
	what := fmt.Sprintf("segments of analysis %d", analysis)
	read := func(b *blobs, after int64) error { return b.read(ctx, a.reader, query, analysis, after, pageRows) }
	err := eachBlob(what, read, func(n int64, data, shown []byte) (err error) {
		if data, err = unseal(data, analysis, n, sealedData); err == nil && pictures {
			shown, err = unseal(shown, analysis, n, sealedPictures)
		}
		if err != nil {
			return fmt.Errorf("segment %d: %w", n, err)
		}
		return each(int(n), data, shown)
	})
	if err != nil {
		return err
	}
	// A transaction that removes it removes all segments: if it is there now, it was there all the time.
	if err := present(ctx, a.reader, `SELECT 1 FROM analyses WHERE id = $1`, analysis); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// segmentQuery reads segments with a column of their pictures.
func segmentQuery(pictures string) string {
	return `SELECT number, data, ` + pictures + ` FROM segments WHERE analysis = $1 AND number > $2 ORDER BY number LIMIT $3`
}

// Complete says that an analysis has been worked through: it is Done, failure says why segments are missing, and codes are what
// [Archive.EachCodes] gives. It may be called again. The error is [ErrGone] if there is no such analysis.
func (a *Archive) Complete(ctx context.Context, analysis int64, codes []byte, failure string) error {
	return a.write(ctx, fmt.Sprintf("complete analysis %d", analysis), func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE analyses SET failure = $2 WHERE id = $1`, analysis, failure))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrGone
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO codes (analysis, data) VALUES ($1, $2)
			ON CONFLICT (analysis) DO UPDATE SET data = excluded.data`, analysis, some(codes))
		return err
	})
}

// EachCodes calls a function for the codes of each analysis that is Done, by ascending ids; codes are valid during the call only.
// Each belongs to a video that some file has. See the package's comment for what is seen of changes meanwhile. An error of the
// function ends it and is returned.
func (a *Archive) EachCodes(ctx context.Context, each func(analysis int64, codes []byte) error) error {
	const query = `SELECT analysis, data, x'' FROM codes WHERE analysis > $1 ORDER BY analysis LIMIT $2`
	read := func(b *blobs, after int64) error { return b.read(ctx, a.reader, query, after, pageRows) }
	return eachBlob("codes", read, func(n int64, codes, _ []byte) error { return each(n, codes) })
}

// present is [ErrGone] where a query gives no row.
func present(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}, query string, id int64,
) error {
	var one int
	err := db.QueryRowContext(ctx, query, id).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrGone
	}
	return err
}
