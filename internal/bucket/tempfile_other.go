//go:build !linux

package bucket

import "os"

func openUnnamed(folder, _ string) (*os.File, error) { return openNamed(folder) }

// reserveSpace does nothing: a full disk shows when it is written.
func reserveSpace(*os.File, int64) error { return nil }
