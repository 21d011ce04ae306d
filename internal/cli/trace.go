package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/outfile"
)

// trace collects what each worker of a search did when, and writes it in the Trace Event Format of Chrome's viewer
// (chrome://tracing, https://ui.perfetto.dev): one line of the picture a worker.
type trace struct {
	start time.Time
	file  *outfile.File
	Event []traceEvent `json:"traceEvents"`
}

// traceEvent is a complete event of the format: times in microseconds.
type traceEvent struct {
	Name    string `json:"name"`
	Phase   string `json:"ph"`
	Time    int64  `json:"ts"`
	Length  int64  `json:"dur"`
	Process int    `json:"pid"`
	Thread  int    `json:"tid"`
}

// traceHead is how a trace begins.
const traceHead = `{"traceEvents":`

// traceOfOurs tells traces of earlier searches, which may be replaced, from other files.
func traceOfOurs() outfile.Kind {
	return outfile.Kind{Name: "a trace of an earlier search", Is: func(f *os.File) bool {
		head := make([]byte, len(traceHead))
		_, err := f.ReadAt(head, 0)
		return err == nil && bytes.Equal(head, []byte(traceHead))
	}}
}

// newTrace opens the file of a trace. Its place is one that the search writes to.
func newTrace(path string, force bool, start time.Time) (*trace, *outfile.Place, error) {
	place, err := outfile.At(path, traceOfOurs(), force)
	if err != nil {
		return nil, nil, err
	}
	file, err := place.Create()
	return &trace{start: start, file: file}, place, err
}

// add takes a step in.
func (t *trace) add(s batch.Step) {
	t.Event = append(t.Event, traceEvent{
		Name: s.Name, Phase: "X", Time: s.From.Sub(t.start).Microseconds(), Length: max(s.To.Sub(s.From).Microseconds(), 1),
		Process: 1, Thread: s.Worker,
	})
}

// write completes the file.
func (t *trace) write() error {
	if err := json.NewEncoder(t.file).Encode(t); err != nil {
		return err
	}
	return t.file.Commit()
}
