package crashtest

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to look into the database without the program
)

// noTraces looks at what a server that is gone has left: no decoder, no temporary file, and in the data folder nothing but
// what belongs there.
func (b *bed) noTraces(t *testing.T) {
	t.Helper()
	b.noDecoders(t)
	if left := below(t, b.temp()); len(left) > 0 {
		t.Errorf("temporary files are left behind: %q", left)
	}
	known := []string{
		"audit.log", "cache", "credentials", "secret.key", "spotter.db", "spotter.db-shm", "spotter.db-wal", "spotter.db.lock",
	}
	for _, name := range below(t, b.data()) {
		if !slices.Contains(known, name) {
			t.Errorf("%s is left behind in the data folder", name)
		}
	}
	b.wholeLines(t, filepath.Join(b.data(), "audit.log"))
}

// below are the paths of everything in a folder, which need not exist.
func below(t *testing.T, folder string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if path != folder {
			names = append(names, strings.TrimPrefix(path, folder+"/"))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

// wholeLines fails where a line of a file is not a JSON document.
func (b *bed) wholeLines(t *testing.T, path string) (lines []json.RawMessage) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for in := bufio.NewScanner(bytes.NewReader(text)); in.Scan(); {
		if !json.Valid(in.Bytes()) {
			t.Errorf("%s has the line %q", filepath.Base(path), in.Text())
			continue
		}
		lines = append(lines, bytes.Clone(in.Bytes()))
	}
	return lines
}

// sound checks the database as it lies there.
func (b *bed) sound(t *testing.T) {
	t.Helper()
	path := b.copied(t)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return // killed before it was made
	}
	if got := query(t, path, `PRAGMA integrity_check`); !slices.Equal(got, []string{"ok"}) {
		t.Errorf("the database is damaged: %q", got)
	}
	if got := query(t, path, `PRAGMA foreign_key_check`); len(got) > 0 {
		t.Errorf("rows of the database refer to nothing: %q", got)
	}
}

// copied is a copy of the database as it lies there: to open it is to mend it, which is the program's task.
func (b *bed) copied(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"spotter.db", "spotter.db-wal"} {
		path := filepath.Join(b.data(), name)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			copyFile(t, path, filepath.Join(folder, name), 0o600)
		}
	}
	return filepath.Join(folder, "spotter.db")
}

// query gives the first column of what a query finds.
func query(t *testing.T, path, text string) (found []string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(columns))
		var first string
		values[0] = &first
		for i := range values[1:] {
			values[i+1] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		found = append(found, first)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

// notified gives the ids of the notices of each job.
func (b *bed) notified(t *testing.T) map[string][]string {
	t.Helper()
	ids := map[string][]string{}
	for _, line := range b.wholeLines(t, b.notices()) {
		var notice struct {
			ID      string
			Message struct{ JobId, Status string } //nolint:revive // AWS's spelling
		}
		if err := json.Unmarshal(line, &notice); err != nil {
			t.Fatal(err)
		}
		ids[notice.Message.JobId] = append(ids[notice.Message.JobId], notice.ID)
	}
	return ids
}
