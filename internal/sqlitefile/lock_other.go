//go:build !unix

package sqlitefile

// acquire does nothing where files cannot be locked as on Unix: there it is up to the operator that only one process works
// on a file.
func acquire(string, bool) (release func() error, err error) {
	return func() error { return nil }, nil
}

// changeable leaves it to the first change.
func changeable(string) error { return nil }

// writable leaves it to the first change.
func writable(string) error { return nil }
