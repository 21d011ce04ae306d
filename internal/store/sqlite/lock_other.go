//go:build !unix

package sqlite

// acquire does nothing where files cannot be locked as on Unix: there it is up to the operator that only one process works
// on a database.
func acquire(string) (release func() error, err error) {
	return func() error { return nil }, nil
}

// writable leaves it to the first change.
func writable(string) error { return nil }
