//go:build !amd64 && !arm64

package gallery

// assembled is empty: this architecture has no kernel of its own.
func assembled() []kernel { return nil }
