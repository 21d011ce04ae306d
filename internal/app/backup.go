package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/store/sqlite"
)

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
