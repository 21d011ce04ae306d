package jobs

import (
	"math/rand/v2"
	"time"

	"github.com/riverqueue/river/rivertype"
)

// backoffFactor lets the default of 8 attempts reach the longest pause of 5 minutes from the shortest of 1 second.
const backoffFactor = 3

// retryPolicy is River's: the time of the next attempt.
type retryPolicy struct {
	least, most time.Duration
	now         func() time.Time
}

// NextRetry is called after a failure that the row does not hold yet.
func (p retryPolicy) NextRetry(row *rivertype.JobRow) time.Time {
	r := rand.Float64() //nolint:gosec // spreads load; nobody gains by guessing it
	return p.now().Add(backoff(p.least, p.most, len(row.Errors)+1, r))
}

// backoff is the pause after so many failures, with r from 0 to 1 saying how much of its random half is used.
func backoff(least, most time.Duration, failures int, r float64) time.Duration {
	d := min(least, most)
	for n := 1; n < failures && d < most; n++ {
		if d > most/backoffFactor { // also where three times as much is more than a Duration holds
			d = most
		} else {
			d *= backoffFactor
		}
	}
	fixed := d / 2
	spread := d - fixed
	if random := time.Duration(r * float64(spread)); 0 <= random && random < spread { // rounding might exceed it
		spread = random
	}
	return fixed + spread
}
