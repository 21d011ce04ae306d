package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// forgetAtOnce is how many files go in one transaction: what their videos gave is copied into the journal before it is
// overwritten, and others wait until it is.
const forgetAtOnce = 16

const fileColumns = `path, size, seconds, nanos, video, failure, sum`

// errFile says that a file's row is damaged. Which file's it was, or which video it had, nobody knows.
var errFile = errors.New("the archive is damaged: " + damagedAdvice)

// sum is a checksum of what decides which video a path has.
func (f *File) sum() uint32 {
	return checksum([]byte(f.Path), []int64{f.Size, f.Changed.Unix(), int64(f.Changed.Nanosecond()), f.Video})
}

// File gives the file with a path, nil if it is unknown.
func (a *Archive) File(ctx context.Context, path string) (*File, error) {
	files, err := a.files(ctx, 1, nil, `SELECT `+fileColumns+` FROM files WHERE path = $1`, []byte(path))
	if err != nil {
		return nil, fmt.Errorf("look for file %q: %w", path, err)
	}
	if len(files) == 0 {
		return nil, nil //nolint:nilnil // as it says
	}
	return &files[0], nil
}

// EachFile calls a function for each file whose path begins with prefix, in the order of their paths' bytes; all, if prefix is
// empty. See the package's comment for what is seen of changes meanwhile. An error of the function ends it and is returned.
func (a *Archive) EachFile(ctx context.Context, prefix string, each func(*File) error) error {
	begins := func(f *File) bool { return strings.HasPrefix(f.Path, prefix) }
	for from := []byte(prefix); ; {
		files, err := a.files(ctx, pageRows, begins, `SELECT `+fileColumns+` FROM files WHERE path >= $1 ORDER BY path LIMIT $2`, from, pageRows)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		for i := range files {
			if err := each(&files[i]); err != nil {
				return err
			}
		}
		if len(files) < pageRows {
			return nil
		}
		from = append([]byte(files[len(files)-1].Path), 0) // the next path that there can be
	}
}

// FilesOf gives the files that contain a video, by their paths.
func (a *Archive) FilesOf(ctx context.Context, video int64) ([]File, error) {
	files, err := a.files(ctx, 0, nil, `SELECT `+fileColumns+` FROM files WHERE video = $1 ORDER BY path`, video)
	if err != nil {
		return nil, fmt.Errorf("list files of video %d: %w", video, err)
	}
	return files, nil
}

// files gives those of a query, up to the first that is not wanted.
func (a *Archive) files(ctx context.Context, expected int, wanted func(*File) bool, query string, args ...any) (files []File, err error) {
	rows, err := a.reader.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	files = make([]File, 0, expected)
	for rows.Next() {
		var f File
		var path []byte
		var seconds, nanos, sum int64
		if err := rows.Scan(&path, &f.Size, &seconds, &nanos, &f.Video, &f.Failure, &sum); err != nil {
			return nil, err
		}
		f.Path, f.Changed = string(path), time.Unix(seconds, nanos)
		if sum != int64(f.sum()) {
			return nil, errFile
		}
		if wanted != nil && !wanted(&f) {
			break
		}
		files = append(files, f)
	}
	return files, rows.Err()
}

// Video gives the number of the video with these bytes; known is false if no file has them.
func (a *Archive) Video(ctx context.Context, sum Sum) (video int64, known bool, err error) {
	err = a.reader.QueryRowContext(ctx, `SELECT id FROM videos WHERE sum = $1`, sum[:]).Scan(&video)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("look for a video: %w", err)
	}
	return video, true, nil
}

// Put says that a file has these bytes now. It makes the video where it is new, sets f.Video to its number, and replaces what
// was known of the path. A video that no file has any more goes, with its analyses.
func (a *Archive) Put(ctx context.Context, f *File, sum Sum) error {
	what := fmt.Sprintf("put file %q", f.Path)
	if !filepath.IsAbs(f.Path) {
		return fmt.Errorf("%s: the path is not absolute", what)
	}
	var video int64
	err := a.write(ctx, what, func(tx *sql.Tx) (err error) {
		if video, err = ensureVideo(ctx, tx, sum); err != nil {
			return err
		}
		before, known, err := videoOf(ctx, tx, f.Path)
		if err != nil {
			return err
		}
		put := *f
		put.Video = video
		if _, err = tx.ExecContext(ctx, `INSERT INTO files (`+fileColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (path) DO UPDATE SET size = excluded.size, seconds = excluded.seconds, nanos = excluded.nanos,
				video = excluded.video, failure = excluded.failure, sum = excluded.sum`,
			[]byte(f.Path), f.Size, f.Changed.Unix(), f.Changed.Nanosecond(), video, f.Failure, int64(put.sum())); err != nil || !known {
			return err
		}
		return dropUnused(ctx, tx, before)
	})
	if err == nil {
		f.Video = video
	}
	return err
}

// Fail says why a file cannot be looked at; empty: it can. The error is [ErrGone] if there is no such file.
func (a *Archive) Fail(ctx context.Context, path, failure string) error {
	return a.write(ctx, fmt.Sprintf("note why file %q failed", path), func(tx *sql.Tx) error {
		n, err := affected(tx.ExecContext(ctx, `UPDATE files SET failure = $2 WHERE path = $1`, []byte(path), failure))
		if err == nil && n == 0 {
			err = ErrGone
		}
		return err
	})
}

// Forget removes files; videos that no file has any more go with them, with their analyses, and the archive becomes as much
// smaller. Paths that are unknown are none to forget. If it fails or is stopped, some may be forgotten already.
func (a *Archive) Forget(ctx context.Context, paths []string) error {
	for some := range slices.Chunk(paths, forgetAtOnce) {
		err := a.write(ctx, "forget files", func(tx *sql.Tx) error {
			for _, path := range some {
				if err := forget(ctx, tx, path); err != nil {
					return fmt.Errorf("%q: %w", path, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(paths) == 0 {
		return nil
	}
	return a.file.Shrink(ctx)
}

func forget(ctx context.Context, tx *sql.Tx, path string) error {
	video, known, err := videoOf(ctx, tx, path)
	if err != nil || !known {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM files WHERE path = $1`, []byte(path)); err != nil {
		return err
	}
	return dropUnused(ctx, tx, video)
}

func ensureVideo(ctx context.Context, tx *sql.Tx, sum Sum) (video int64, err error) {
	if _, err = tx.ExecContext(ctx, `INSERT INTO videos (sum) VALUES ($1) ON CONFLICT (sum) DO NOTHING`, sum[:]); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `SELECT id FROM videos WHERE sum = $1`, sum[:]).Scan(&video)
	return video, err
}

func videoOf(ctx context.Context, tx *sql.Tx, path string) (video int64, known bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT video FROM files WHERE path = $1`, []byte(path)).Scan(&video)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return video, err == nil, err
}

// dropUnused removes a video if no file has it.
func dropUnused(ctx context.Context, tx *sql.Tx, video int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM videos WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM files WHERE video = $1)`, video)
	return err
}
