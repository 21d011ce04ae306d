package cli

import (
	"context"
	"errors"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/fault"
)

// Status is the program's exit status.
type Status int

// The exit statuses. They are part of what scripts rely on: exitCodesHelp documents them.
const (
	Done        Status = 0
	Internal    Status = 1
	Usage       Status = 2
	Incomplete  Status = 3
	NoFaces     Status = 4
	NotReady    Status = 5
	Interrupted Status = 130 // 128 + SIGINT, as shells have it
)

const exitCodesHelp = `Exit statuses of spotter:

    0  Done. Whether anybody was found does not matter: look at the output.
    1  Something went wrong that should not: a full disk, an error in spotter.
    2  The command line, a setting or what it names is wrong, such as a file, an access key or a job that is not there;
       nothing was searched or changed. Of several jobs that are named, the others were.
    3  Some videos could not be searched, or not to their end, or their annotated copies could not be written. The
       results of the others, and what was found in these all the same, were written; what is incomplete is marked.
    4  Not one usable face was enrolled: nothing to search for.
    5  The environment is not ready: decoder, sandbox or models are missing, or a server's key file, or its database is
       away. The message or 'spotter doctor' says what to do.
  130  Interrupted (Ctrl-C, or asked to end). Files that were not finished have been removed.
`

// statusOf sorts an error of a command.
func statusOf(ctx context.Context, err error) Status {
	var (
		usage       *fault.UsageError
		environment *fault.EnvironmentError
		noFaces     *batch.NoFacesError
		incomplete  *batch.IncompleteError
	)
	switch {
	case err == nil:
		return Done
	case ctx.Err() != nil:
		return Interrupted
	case errors.As(err, &usage):
		return Usage
	case errors.As(err, &environment):
		return NotReady
	case errors.As(err, &noFaces):
		return NoFaces
	case errors.As(err, &incomplete):
		return Incomplete
	default:
		return Internal
	}
}
