//go:build !linux

package app

import "errors"

// systemChecks looks at nothing where it is not known how to.
func systemChecks(int) []Check { return nil }

func freeSpace(string) (uint64, error) {
	return 0, errors.New("free space on a disk is not known on this system")
}
