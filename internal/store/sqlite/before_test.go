package sqlite_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

// TestJobsOfBefore opens a database from before jobs had terms and attempts: results are read, and what is open goes on.
func TestJobsOfBefore(t *testing.T) {
	t.Parallel()
	const insert = `INSERT INTO jobs (id, operation, state, message, bucket, object_key, object_version, size, etag, pinned_version, collection,
		collection_serial, threshold, attributes, tag, topic, role, created, finished, expires, segments, segments_done, results) VALUES `
	const same = `'', 'b', 'k', '', 1, '', '', '', 0, 80.0, 0, '', '', '', 1, 0, 0, `
	path := before(t, 2,
		insert+`('done', 'face-detection', 'succeeded', `+same+`1, 1, '{"sightings":3,"persons":2,"lists":1}')`,
		insert+`('open', 'face-detection', 'in-progress', `+same+`9, 2, NULL)`,
		insert+`('new', 'face-detection', 'in-progress', `+same+`NULL, 0, NULL)`,
		`INSERT INTO plans (job, about, data) VALUES (2, '{"codec":"h264","segments":9}', x'01')`,
		`INSERT INTO segments (job, number, data) VALUES (2, 0, x'01'), (2, 2, x'01')`,
		`INSERT INTO chunks (job, kind, number, data) VALUES (1, 0, 0, x'0102'), (1, 2, 0, x'03'), (2, 0, 0, x'04')`,
		`UPDATE counters SET n = 2 WHERE name = 'open jobs'`)
	s := newStore(t, openDB(t, path), nil)
	ctx := t.Context()

	j, err := s.Job(ctx, "done")
	must(t, err)
	if d := cmp.Diff(&service.Results{Sightings: 3, Persons: 2, Lists: 1}, j.Results); d != "" || j.Terms != nil {
		t.Errorf("terms %v, results (-want +got):\n%s", j.Terms, d)
	}
	for kind, want := range map[service.ChunkKind]string{service.SightingsByTime: "\x01\x02", service.MatchLists: "\x03"} {
		var chunks []service.Chunk
		chunks, err = s.Chunks(ctx, "done", kind, 0, 9)
		if err != nil || len(chunks) != 1 || string(chunks[0].Data) != want {
			t.Errorf("chunks %v, %v", chunks, err)
		}
	}
	tasks, err := s.Resume(ctx, "open", service.Pace{Ahead: 3})
	must(t, err)
	var segments []int
	for _, task := range tasks {
		segments = append(segments, task.Segment)
	}
	if d := cmp.Diff([]int{1, 3, 4}, segments); d != "" {
		t.Errorf("segments that are missing (-want +got):\n%s", d)
	}
	if tasks, err = s.Resume(ctx, "new", service.Pace{Ahead: 3}); err != nil || len(tasks) != 1 || tasks[0].Kind != service.PlanTask {
		t.Errorf("tasks %v, %v", tasks, err)
	}
	for n := range 9 {
		_, err = s.SaveSegment(ctx, "open", n, []byte{1}, service.Pace{Ahead: 3})
		must(t, err)
	}
	if j, err = s.Job(ctx, "open"); err != nil || j.SegmentsDone != 9 {
		t.Errorf("%d segments are done, %v", j.SegmentsDone, err)
	}
}
