package jobs

import (
	"errors"
	"testing"

	"github.com/riverqueue/river/rivertype"
)

// TestAnAbsentDatabaseIsNoFailure has a task be stopped by its worker again and again, because the database is away.
func TestAnAbsentDatabaseIsNoFailure(t *testing.T) {
	t.Parallel()
	r := &runner{cfg: Default()}
	row := &rivertype.JobRow{Attempt: 21}
	for range 20 {
		row.Errors = append(row.Errors, rivertype.AttemptError{Error: errLost.Error()})
	}
	if cause := r.exhausted(row); cause != nil || deaths(row) != 0 {
		t.Errorf("it is given up: %v, after %d deaths", cause, deaths(row))
	}
	for range r.cfg.Attempts {
		row.Errors, row.Attempt = append(row.Errors, rivertype.AttemptError{Error: "broken"}), row.Attempt+1
	}
	if cause := r.exhausted(row); cause == nil || errors.Is(cause, errLost) || cause.Error() != "broken" {
		t.Errorf("a task that fails is given up because of %v", cause)
	}
}
