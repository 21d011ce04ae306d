package sqlite

import (
	"context"
	"io/fs"
	"testing/fstest"
)

// OpenAt makes a database whose tables are those of an earlier version.
func OpenAt(ctx context.Context, path string, version int) (*DB, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql") // in the order of their versions
	if err != nil {
		return nil, err
	}
	then := fstest.MapFS{}
	for _, name := range names[:version] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		then[name] = &fstest.MapFile{Data: script}
	}
	k := kind()
	k.Migrations = then
	return k.Open(ctx, path)
}
