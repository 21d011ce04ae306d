package gallery

import (
	"fmt"
	"strings"
)

// Option changes how a search works, never what it answers.
type Option func(*searcher) error

// WithParallelism bounds the goroutines of one search, the caller's included; at least 1. The default is the number of
// CPUs that Go may use. Raising it makes a lone search of a large gallery faster, up to what memory delivers; lowering
// it to 1 leaves the other CPUs to other searches.
func WithParallelism(n int) Option {
	return func(s *searcher) error {
		if n < 1 {
			return fmt.Errorf("parallelism of %d is less than 1", n)
		}
		s.parallelism = n
		return nil
	}
}

// WithKernel scans with the kernel of this name, one of [Kernels].
func WithKernel(name string) Option {
	return func(s *searcher) error {
		for _, k := range kernels() {
			if k.name == name {
				s.kernel = k
				return nil
			}
		}
		return fmt.Errorf("no kernel %q on this CPU; it has %s", name, strings.Join(Kernels(), ", "))
	}
}
