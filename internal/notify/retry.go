package notify

import (
	"errors"
	"fmt"
	"time"
)

// Retry says how failed deliveries are repeated. The zero value is [DefaultRetry].
type Retry struct {
	// First and Most are the pauses after the first failure and the longest: each failure doubles the pause, and half of
	// it is left to chance, so that those who failed together do not come back together. Raising First spares receivers
	// that fail often; lowering Most finds a receiver sooner that was away for long.
	First, Most time.Duration
	// GiveUpAfter is how old a notice may become, from the end of its job. After that it is dropped.
	GiveUpAfter time.Duration
}

// DefaultRetry starts with a second, ends with an hour, and gives somebody the weekend to mend a receiver.
func DefaultRetry() Retry {
	return Retry{First: time.Second, Most: time.Hour, GiveUpAfter: 3 * 24 * time.Hour}
}

// refusedPause is the shortest pause after an answer that will be the same until somebody does something about it.
const refusedPause = time.Minute

func (r Retry) check() error {
	switch {
	case r.First < time.Millisecond:
		return fmt.Errorf("retry: the first pause is %v; it must be a millisecond or more", r.First)
	case r.GiveUpAfter <= 0:
		return errors.New("retry: the age to give up at must be above zero")
	case r.First > r.Most:
		return fmt.Errorf("retry: the first pause, %v, is longer than the longest, %v", r.First, r.Most)
	}
	return nil
}

// delay is the pause after so many failures, from 1, with chance 0..1: between half and all of First, 2 First, 4 First and
// so on up to Most.
func (r Retry) delay(failures int, chance float64) time.Duration {
	d := r.First
	for i := 1; i < failures && d < r.Most; i++ {
		d = min(2*d, r.Most)
		if d <= 0 { // doubling went over the edge
			d = r.Most
		}
	}
	return d/2 + time.Duration(chance*float64(d-d/2))
}

// after is the pause after a failure of this kind.
func (r Retry) after(f *failure, failures int, chance float64) time.Duration {
	d := r.delay(failures, chance)
	if f.refused {
		d = max(d, min(refusedPause, r.Most))
	}
	return max(d, min(f.pause, r.Most))
}
