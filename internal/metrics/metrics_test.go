package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/metrics"
	"github.com/spotter-video/spotter/internal/service"
)

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// scrape is the page that Prometheus would read.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// fullSources answer everything.
func fullSources() metrics.Sources {
	return metrics.Sources{
		OpenJobs: func(context.Context) (int, time.Time, error) { return 3, noon().Add(-time.Minute), nil },
		Analyses: func(context.Context) (int, int64, error) { return 6, 7000, nil },
		Queue: func(context.Context) (map[service.TaskKind]metrics.Tasks, error) {
			return map[service.TaskKind]metrics.Tasks{
				service.SegmentTask: {Waiting: 7, Running: 2, Retrying: 1, OldestWaiting: noon().Add(-90 * time.Second)},
				service.PlanTask:    {OldestWaiting: noon().Add(time.Hour)},
			}, nil
		},
		Notices:   func() metrics.Notices { return metrics.Notices{Delivered: 11, Dropped: 1, Failed: 4, Waiting: 2} },
		Downloads: func() metrics.Downloads { return metrics.Downloads{Files: 5, InUse: 1, Bytes: 1e9, Fetched: 77} },

		Connections: func() (open int, cut int64) { return 12, 3 },
	}
}

// do tells of one of everything.
func do(m *metrics.Metrics) {
	begun := noon()
	m.JobStarted(&service.Job{Operation: service.FaceSearch})
	m.JobEnded(&service.Job{Operation: service.FaceSearch, State: service.Failed, Created: begun, Finished: begun.Add(20 * time.Second)})
	m.TaskRun(service.Task{Kind: service.SegmentTask}, 3*time.Second, nil)
	m.TaskRun(service.Task{Kind: service.SegmentTask}, time.Second, service.Errorf(service.Unavailable, "away"))
	m.TaskRun(service.Task{Kind: service.PlanTask}, time.Second, errors.New("broken"))
	m.TaskRun(service.Task{Kind: service.FinishTask}, time.Second, fmt.Errorf("match: %w", context.Canceled))
	m.SegmentDone(15*time.Second, 2500*time.Millisecond)
	m.SegmentDone(15*time.Second, 2500*time.Millisecond)
	m.GalleryLoaded("staff", 1000, 40*time.Millisecond)
	m.GallerySize("staff", 1001)
	m.GallerySize("gone", 5)
	m.GallerySize("gone", -1)
	m.FacesEnrolled(context.Background(), "staff", make([]face.ID, 3))
	m.FacesDeleted(context.Background(), "staff", make([]face.ID, 2))
	m.Observe("StartFaceSearch", "OK", 30*time.Millisecond)
	m.Observe("StartFaceSearch", "ThrottlingException", time.Millisecond)
	m.Observe("\xff\n\"}", "OK", time.Millisecond)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Version: "v1.2.3", Revision: "abc", Sources: fullSources(), Now: noon, Log: slog.New(slog.DiscardHandler)})
	do(m)
	page := scrape(t, m)
	for _, line := range []string{
		`spotter_build_info{revision="abc",version="v1.2.3"} 1`,
		`spotter_jobs_started_total{operation="face-search"} 1`,
		`spotter_jobs_ended_total{operation="face-search",outcome="failed"} 1`,
		`spotter_job_duration_seconds_sum{operation="face-search"} 20`,
		`spotter_jobs_open 3`,
		`spotter_job_oldest_age_seconds 60`,
		`spotter_analyses_kept 6`, `spotter_analyses_bytes 7000`,
		`spotter_task_duration_seconds_count{kind="segment",outcome="done"} 1`,
		`spotter_task_duration_seconds_count{kind="segment",outcome="unavailable"} 1`,
		`spotter_task_duration_seconds_sum{kind="plan",outcome="failed"} 1`,
		`spotter_task_duration_seconds_count{kind="finish",outcome="stopped"} 1`,
		`spotter_segments_total 2`,
		`spotter_video_analysed_seconds_total 30`,
		`spotter_video_analysis_seconds_total 5`,
		`spotter_queue_tasks{kind="segment",state="waiting"} 7`,
		`spotter_queue_tasks{kind="segment",state="running"} 2`,
		`spotter_queue_tasks{kind="segment",state="retrying"} 1`,
		`spotter_queue_oldest_age_seconds{kind="segment"} 90`,
		`spotter_queue_oldest_age_seconds{kind="plan"} 0`,
		`spotter_gallery_faces{collection="staff"} 1001`,
		`spotter_galleries 1`,
		`spotter_gallery_load_duration_seconds_sum 0.04`,
		`spotter_faces_enrolled_total 3`,
		`spotter_faces_deleted_total 2`,
		`spotter_api_requests_total{code="OK",operation="StartFaceSearch"} 1`,
		`spotter_api_requests_total{code="ThrottlingException",operation="StartFaceSearch"} 1`,
		`spotter_api_requests_total{code="OK",operation="(other)"} 1`,
		`spotter_api_request_duration_seconds_count{operation="StartFaceSearch"} 2`,
		`spotter_notifications_delivered_total 11`,
		`spotter_notifications_dropped_total 1`,
		`spotter_notification_failures_total 4`,
		`spotter_notifications_waiting 2`,
		`spotter_download_cache_files 5`,
		`spotter_download_cache_files_in_use 1`,
		`spotter_download_cache_bytes 1e+09`,
		`spotter_downloaded_bytes_total 77`,
		`spotter_connections_open 12`, `spotter_connections_cut_total 3`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("the page has no line %s", line)
		}
	}
	for _, name := range []string{"go_goroutines ", "process_cpu_seconds_total ", "promhttp_metric_handler_requests_total"} {
		if !strings.Contains(page, name) {
			t.Errorf("the page has no %s", name)
		}
	}
	if strings.Contains(page, "gone") {
		t.Error("a deleted collection is still shown")
	}
}

// The names follow Prometheus's rules, and every metric has a help text.
func TestMetricsLint(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Sources: fullSources(), Now: noon, Log: slog.New(slog.DiscardHandler)})
	do(m)
	problems, err := promlint.New(strings.NewReader(scrape(t, m))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// Every metric is in the manual, and the manual speaks of no other.
func TestMetricsOfTheManual(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Sources: fullSources(), Now: noon, Log: slog.New(slog.DiscardHandler)})
	do(m)
	manual, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	text, known := string(manual), map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (spotter_\S+) `).FindAllStringSubmatch(scrape(t, m), -1) {
		name := match[1]
		known[name] = true
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("%s is not in the manual", name)
		}
	}
	for _, name := range regexp.MustCompile(`\bspotter_[a-z_]+`).FindAllString(text, -1) {
		name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !known[name] {
			t.Errorf("the manual speaks of %s, which is no metric", name)
		}
	}
}

// A source that fails is left out and told to the log; the others are shown.
func TestSourcesThatFail(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := errors.New("database is locked")
	sources := fullSources()
	sources.OpenJobs = func(context.Context) (int, time.Time, error) { return 0, time.Time{}, broken }
	sources.Queue = func(context.Context) (map[service.TaskKind]metrics.Tasks, error) { return nil, broken }
	m := metrics.New(metrics.Config{Sources: sources, Now: noon, Log: slog.New(slog.NewTextHandler(&log, nil))})
	page := scrape(t, m)
	if strings.Contains(page, "spotter_jobs_open") || strings.Contains(page, "spotter_queue_tasks") {
		t.Error("what is not known is shown")
	}
	if !strings.Contains(page, "spotter_download_cache_files 5") {
		t.Error("what is known is not shown")
	}
	if strings.Count(log.String(), "database is locked") != 2 {
		t.Errorf("the log says %s", log.String())
	}
	if page := scrape(t, metrics.New(metrics.Config{Now: noon})); strings.Contains(page, "spotter_download") {
		t.Error("a source that is not there is shown")
	}
}

func TestGalleriesBeyondTheLargestAreTakenTogether(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Now: noon})
	for i := range 30 {
		m.GallerySize(service.CollectionID(fmt.Sprintf("c%02d", i)), i)
	}
	page := scrape(t, m)
	if n := strings.Count(page, "\nspotter_gallery_faces{"); n != 21 {
		t.Errorf("%d series, want %d", n, 21)
	}
	for _, line := range []string{
		`spotter_gallery_faces{collection="c29"} 29`, `spotter_gallery_faces{collection="c10"} 10`,
		`spotter_gallery_faces{collection="(other)"} 45`, `spotter_galleries 30`,
	} {
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("the page has no line %s", line)
		}
	}
}

func TestStrangersMakeNoSeries(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Now: noon})
	for i := range 1000 {
		m.Observe(fmt.Sprint("Made", i), fmt.Sprint("Up", i), time.Millisecond)
	}
	if n := strings.Count(scrape(t, m), "\nspotter_api_requests_total{"); n != 121 {
		t.Errorf("%d series, want 120 and one for all others", n)
	}
}

func TestMetricsAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Config{Sources: fullSources(), Now: noon, Log: slog.New(slog.DiscardHandler)})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				do(m)
			}
		})
		wg.Go(func() {
			w := httptest.NewRecorder()
			m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			if w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable { // as more look at once than may
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if page := scrape(t, m); !strings.Contains(page, "\nspotter_segments_total 320\n") {
		t.Error("segments were lost")
	}
}
