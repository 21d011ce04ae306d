//go:build unix

package audit

import (
	"os"
	"path/filepath"
	"syscall"
)

// adopt gives a new file to the owner of its folder where root made it: the server, which runs as that owner, is to go on
// with what an operator's command has begun. SQLite does the same with the files beside its database.
func adopt(file *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(file.Name()))
	if err != nil {
		return err
	}
	owner, known := folder.Sys().(*syscall.Stat_t)
	if !known {
		return nil
	}
	return file.Chown(int(owner.Uid), int(owner.Gid))
}
