//go:build !linux

package postgres

import "syscall"

// boundUnanswered leaves the system's own bound, where none can be set.
func boundUnanswered(string, string, syscall.RawConn) error { return nil }
