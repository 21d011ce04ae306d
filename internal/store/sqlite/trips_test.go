package sqlite

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/sqliteplan"
)

// TestRoundTrips counts what a segment of a face search asks of the store: with a database that is a server, each is a round trip, and
// a long video has a thousand segments.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	var seen sqliteplan.Recorder
	var tasks []service.Task
	store := recorded(t, &seen, func(more []service.Task) error {
		tasks = append(tasks, more...)
		return nil
	})
	const segments = 6
	s, err := service.New(service.Ports{
		Store: store, Objects: oneFile{}, Videos: blindVideos{segments}, Model: service.Model{ID: "m"},
		Knows: func(string) bool { return false }, Wake: func() {}, Events: nobody{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Random: rand.Reader, PageKey: make([]byte, 32),
	}, service.DefaultSettings())
	if err != nil {
		t.Fatal(err)
	}
	if err = store.CreateCollection(t.Context(), &service.Collection{ID: "people", Model: "m"}); err != nil {
		t.Fatal(err)
	}
	id, err := s.StartJob(t.Context(), service.StartRequest{Operation: service.FaceSearch, Collection: "people"})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; len(tasks) > 0 && tasks[0].Kind != service.FinishTask; n++ {
		task := tasks[0]
		tasks = tasks[1:]
		seen.Trips()
		if err := s.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		// The first segment reads the plan, and the last one tells those who wait for it.
		most := 8
		switch {
		case task.Kind == service.PlanTask:
			most = 12
		case task.Segment == 0 || task.Segment == segments-1:
			most = 9
		}
		trips := seen.Trips()
		if len(trips) > most {
			t.Errorf("%s %d takes %d round trips, want at most %d:\n%s", task.Kind, task.Segment, len(trips), most, told(trips))
		}
		t.Logf("%s %d: %d round trips", task.Kind, task.Segment, len(trips))
	}
	seen.Trips()
	if _, err := s.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: id}); err != nil {
		t.Fatal(err)
	}
	if trips := seen.Trips(); len(trips) != 1 {
		t.Errorf("to ask how a job is takes %d round trips:\n%s", len(trips), told(trips))
	}
}

func told(trips []string) string {
	lines := make([]string, len(trips))
	for i, s := range trips {
		lines[i] = fmt.Sprintf("%3d %.120s", i+1, strings.Join(strings.Fields(s), " "))
	}
	return strings.Join(lines, "\n")
}

// oneFile is a bucket that has this program under every name.
type oneFile struct{}

func (oneFile) Stat(context.Context, service.Object) (service.ObjectInfo, error) {
	return service.ObjectInfo{Size: 1}, nil
}

func (oneFile) Read(context.Context, service.Object, int64) ([]byte, error) { return nil, nil }

func (oneFile) Open(context.Context, service.Object, service.ObjectInfo) (service.LocalFile, error) {
	f, err := os.Open(os.Args[0])
	return openFile{f: f}, err
}

type openFile struct{ f *os.File }

func (o openFile) File() *os.File { return o.f }

func (o openFile) Fetch(_ context.Context, _, to int64) (int64, error) { return to, nil }

func (openFile) Verify(context.Context) error { return nil }

func (o openFile) Close() error { return o.f.Close() }

// blindVideos sees nothing in videos of so many segments.
type blindVideos struct{ segments int }

func (blindVideos) Terms() ([]byte, error) { return []byte("{}"), nil }

func (v blindVideos) Under([]byte) (service.Eyes, error) { return v, nil }

func (v blindVideos) Plan(context.Context, service.VideoFile) (*service.JobPlan, error) {
	return &service.JobPlan{Segments: v.segments, Data: []byte("plan"), Info: face.VideoInfo{Duration: time.Minute}}, nil
}

func (blindVideos) Segment(context.Context, service.VideoFile, *service.JobPlan, int, bool) ([]byte, error) {
	return []byte("nobody"), nil
}

func (blindVideos) Finish(context.Context, *service.JobPlan, func(int) ([]byte, error), service.Matching) (*service.Found, error) {
	return &service.Found{}, nil
}

// nobody takes events of jobs.
type nobody struct{ service.Events }

func (nobody) JobStarted(*service.Job)                    {}
func (nobody) TaskRun(service.Task, time.Duration, error) {}
func (nobody) SegmentDone(_, _ time.Duration)             {}
