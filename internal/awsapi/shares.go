package awsapi

import "sync"

// shares divides an amount among addresses that nobody knows yet: together they take at most all of it, and one address, which
// is cheap to send a lot from, at most each. Safe for concurrent use.
type shares struct {
	all, each int64

	mu    sync.Mutex
	taken int64
	by    map[string]int64 // what is not zero
}

func newShares(all, each int64) *shares {
	return &shares{all: all, each: max(each, 1), by: map[string]int64{}}
}

// take takes so much for an address, to be given back with give; there may not be as much left.
func (s *shares) take(address string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken+n > s.all || s.by[address]+n > s.each {
		return false
	}
	s.taken += n
	s.by[address] += n
	return true
}

func (s *shares) give(address string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken -= n
	if s.by[address] -= n; s.by[address] <= 0 {
		delete(s.by, address)
	}
}

// place takes one, to be given back by calling leave.
func (s *shares) place(address string) (leave func(), ok bool) {
	if !s.take(address, 1) {
		return nil, false
	}
	return func() { s.give(address, 1) }, true
}
