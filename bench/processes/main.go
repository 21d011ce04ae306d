// Processes measures what a job costs that is spread over worker processes on one PostgreSQL database: how much faster two are than one, what the
// database does for a segment, and how many requests one serving process answers.
//
//	go run ./bench/processes
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

type options struct {
	spotter string
	rounds  int
	loops   int
	asking  time.Duration
	json    bool
}

func main() {
	o := options{}
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; one and two workers take turns")
	flag.IntVar(&o.loops, "loops", 49, "how often a clip of 6 s is repeated for the video")
	flag.DurationVar(&o.asking, "asking", 5*time.Second, "how long requests are sent")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "processes:", err)
		os.Exit(1)
	}
}

// report is what was measured; medians of rounds.
type report struct {
	Segments int `json:"segments"`
	// OneWorker and TwoWorkers are how long the job took, in seconds; Ratio is by how much two were faster, of each round.
	OneWorker  float64 `json:"one_worker_s"`
	TwoWorkers float64 `json:"two_workers_s"`
	Ratio      float64 `json:"ratio"`
	Bytes      int64   `json:"bytes"` // of the video
	// Fetched is the share of the video that each of two workers has fetched.
	Fetched []float64 `json:"fetched"`
	// By segment: processor time of the worker and of the database, statements and transactions, and bytes of its log.
	WorkerCPU    float64 `json:"worker_cpu_s_per_segment"`
	DatabaseCPU  float64 `json:"database_cpu_s_per_segment"`
	Share        float64 `json:"database_share"`
	Statements   float64 `json:"statements_per_segment"`
	Transactions float64 `json:"transactions_per_segment"`
	LogBytes     float64 `json:"log_bytes_per_segment"`
	// IdleStatements are those of a second in which nothing is done, with one process that serves and two that work.
	IdleStatements float64 `json:"idle_statements_per_s"`
	// Requests a second that one process answers to eight clients.
	Polls   float64 `json:"get_face_search_per_s"`
	Lookups float64 `json:"search_faces_per_s"`
}

func run(ctx context.Context, o options) (err error) {
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r, err := w.measure(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "segments of the video\t%d\n", r.Segments)
	fmt.Fprintf(out, "one worker, two\t%.1f s, %.1f s\n", r.OneWorker, r.TwoWorkers)
	fmt.Fprintf(out, "two are faster by\t%.2f\n", r.Ratio)
	fmt.Fprintf(out, "shares of the video, of %.0f MB, that two workers fetch\t%.2f, %.2f\n", float64(r.Bytes)/1e6, r.Fetched[0], r.Fetched[1])
	fmt.Fprintf(out, "processor time a segment: worker, database\t%.2f s, %.4f s (%.2f %%)\n", r.WorkerCPU, r.DatabaseCPU, 100*r.Share)
	fmt.Fprintf(out, "statements, transactions a segment\t%.1f, %.1f\n", r.Statements, r.Transactions)
	fmt.Fprintf(out, "bytes of the database's log a segment\t%.0f\n", r.LogBytes)
	fmt.Fprintf(out, "statements a second when idle\t%.1f\n", r.IdleStatements)
	fmt.Fprintf(out, "GetFaceSearch, SearchFaces a second, one process, eight clients\t%.0f, %.0f\n", r.Polls, r.Lookups)
	return out.Flush()
}

// spent is what has been used up to a moment.
type spent struct {
	workers, database              time.Duration
	statements, transactions, logs float64
}

func (w *world) spent(ctx context.Context) (s spent, err error) {
	for _, p := range w.workers {
		s.workers += cpuOf(p.PID(), false)
	}
	s.database = cpuOf(w.server.PID(), true)
	err = w.db.QueryRowContext(ctx, `SELECT (SELECT sum(calls) FROM pg_stat_statements), (SELECT xact_commit FROM pg_stat_database WHERE datname = 'spotter'),
		pg_current_wal_lsn() - '0/0'`).Scan(&s.statements, &s.transactions, &s.logs)
	return s, err
}

func (w *world) measure(ctx context.Context) (*report, error) {
	r := &report{}
	var ones, twos, ratios []float64
	var rounds []spent
	if _, err := w.job(ctx, r); err != nil { // models are loaded, files are read
		return nil, err
	}
	if err := w.fetched(ctx, r); err != nil {
		return nil, err
	}
	for range w.rounds {
		before, err := w.spent(ctx)
		if err != nil {
			return nil, err
		}
		two, err := w.job(ctx, r)
		if err != nil {
			return nil, err
		}
		after, err := w.spent(ctx)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, spent{
			after.workers - before.workers, after.database - before.database,
			after.statements - before.statements, after.transactions - before.transactions, after.logs - before.logs,
		})
		one, err := w.alone(ctx, r)
		if err != nil {
			return nil, err
		}
		ones, twos, ratios = append(ones, one), append(twos, two), append(ratios, one/two)
	}
	n := float64(r.Segments)
	r.OneWorker, r.TwoWorkers, r.Ratio = median(ones), median(twos), median(ratios)
	r.WorkerCPU = medianOf(rounds, func(s spent) float64 { return s.workers.Seconds() / n })
	r.DatabaseCPU = medianOf(rounds, func(s spent) float64 { return s.database.Seconds() / n })
	r.Share = r.DatabaseCPU / (r.WorkerCPU + r.DatabaseCPU)
	r.Statements = medianOf(rounds, func(s spent) float64 { return s.statements / n })
	r.Transactions = medianOf(rounds, func(s spent) float64 { return s.transactions / n })
	r.LogBytes = medianOf(rounds, func(s spent) float64 { return s.logs / n })
	return r, w.others(ctx, r)
}

// fetched asks the workers how much they have downloaded.
func (w *world) fetched(ctx context.Context, r *report) error {
	for _, address := range w.metrics {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		page, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			return err
		}
		_, rest, _ := strings.Cut(string(page), "\nspotter_downloaded_bytes_total ")
		value, _, _ := strings.Cut(rest, "\n")
		bytes, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("bytes fetched: %w", err)
		}
		r.Bytes = w.film
		r.Fetched = append(r.Fetched, bytes/float64(w.film))
	}
	return nil
}

// askEvery is the time between two looks at a job: what they cost is part of what is measured, and how long a job takes is known to within it.
const askEvery = 500 * time.Millisecond

// job has the video searched, and says how many seconds that took.
func (w *world) job(ctx context.Context, r *report) (float64, error) {
	began := time.Now()
	job, err := w.client.StartFaceSearch(ctx, &rekognition.StartFaceSearchInput{
		CollectionId: aws.String(collection), Video: &types.Video{S3Object: &types.S3Object{Bucket: aws.String(bucketName), Name: aws.String(filmName)}},
	})
	if err != nil {
		return 0, err
	}
	for {
		var status string
		var segments sql.NullInt64
		// Asked beside the program, whose requests are counted.
		err := w.db.QueryRowContext(ctx, `SELECT state, segments FROM jobs WHERE id = $1`, *job.JobId).Scan(&status, &segments)
		switch {
		case err != nil:
			return 0, err
		case status == "succeeded":
			r.Segments = int(segments.Int64)
			return time.Since(began).Seconds(), nil
		case status != "in-progress":
			return 0, fmt.Errorf("the job is %s", status)
		}
		time.Sleep(askEvery)
	}
}

// alone is job with one worker.
func (w *world) alone(ctx context.Context, r *report) (float64, error) {
	w.workers[1].Stop()
	took, err := w.job(ctx, r)
	if err != nil {
		return 0, err
	}
	w.workers[1], err = w.worker(ctx, "worker2")
	return took, err
}

// others measures what needs no job.
func (w *world) others(ctx context.Context, r *report) error {
	time.Sleep(3 * time.Second) // until what the last job has left is done
	before, err := w.spent(ctx)
	if err != nil {
		return err
	}
	time.Sleep(w.asking)
	after, err := w.spent(ctx)
	if err != nil {
		return err
	}
	r.IdleStatements = (after.statements - before.statements) / w.asking.Seconds()
	var job string
	if err = w.db.QueryRowContext(ctx, `SELECT id FROM jobs ORDER BY serial DESC LIMIT 1`).Scan(&job); err != nil {
		return err
	}
	if r.Polls, err = w.ask(ctx, func(ctx context.Context) error {
		_, err = w.client.GetFaceSearch(ctx, &rekognition.GetFaceSearchInput{JobId: aws.String(job), MaxResults: aws.Int32(1)})
		return err
	}); err != nil {
		return err
	}
	r.Lookups, err = w.ask(ctx, func(ctx context.Context) error {
		_, err = w.client.SearchFaces(ctx, &rekognition.SearchFacesInput{CollectionId: aws.String(collection), FaceId: aws.String(w.faces[0])})
		return err
	})
	return err
}

// ask has eight clients ask for a while, and says how many answers a second there are.
func (w *world) ask(ctx context.Context, one func(context.Context) error) (float64, error) {
	var answers atomic.Int64
	var wrong error
	var once sync.Once
	var group sync.WaitGroup
	end := time.Now().Add(w.asking)
	for range 8 {
		group.Go(func() {
			for time.Now().Before(end) {
				if err := one(ctx); err != nil {
					once.Do(func() { wrong = err })
					return
				}
				answers.Add(1)
			}
		})
	}
	group.Wait()
	return float64(answers.Load()) / w.asking.Seconds(), wrong
}

func median(values []float64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[len(values)/2]
}

func medianOf(rounds []spent, of func(spent) float64) float64 {
	values := make([]float64, len(rounds))
	for i, s := range rounds {
		values[i] = of(s)
	}
	return median(values)
}

// tick is the unit of processor time in /proc (proc(5)): Linux shows a hundred a second on every machine.
const tick = 10 * time.Millisecond

// cpuOf is the processor time of a process and of the children that it has waited for; of those that run as well, if that is asked for.
func cpuOf(pid int, running bool) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // it has ended
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var sum time.Duration
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, _ := strconv.ParseInt(field, 10, 64) // the kernel wrote it
		sum += time.Duration(n) * tick
	}
	if !running {
		return sum
	}
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range threads {
		children, _ := os.ReadFile(t) //nolint:gosec // G304: of /proc
		for child := range strings.FieldsSeq(string(children)) {
			if n, err := strconv.Atoi(child); err == nil {
				sum += cpuOf(n, true)
			}
		}
	}
	return sum
}
