package jobs_test

import (
	"context"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/service"
)

// BenchmarkEnqueue is the transaction that enqueues the segments of a long video.
func BenchmarkEnqueue(b *testing.B) {
	const n = 2000
	db := newDB(b)
	q := setup(b, db, config())
	job := 0
	for b.Loop() {
		job++
		enqueue(b, db, q, segments(service.JobID(strconv.Itoa(job)), n)...)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkRun is how many tasks that do nothing are run each second, with as many slots as a large machine has.
func BenchmarkRun(b *testing.B) {
	const n = 2000
	db := newDB(b)
	c := config()
	c.Poll, c.Workers = jobs.Default().Poll, 16
	q := setup(b, db, c)
	var done sync.WaitGroup
	start(b, q, worker{run: func(context.Context, service.Task) error { done.Done(); return nil }})
	job := 0
	for b.Loop() {
		job++
		done.Add(n)
		enqueue(b, db, q, segments(service.JobID(strconv.Itoa(job)), n)...)
		done.Wait()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkLatency is the time from a task's commit to its start.
func BenchmarkLatency(b *testing.B) {
	db := newDB(b)
	c := config()
	c.Poll = jobs.Default().Poll
	q := setup(b, db, c)
	ran := make(chan struct{})
	start(b, q, worker{run: func(context.Context, service.Task) error { ran <- struct{}{}; return nil }})
	job := 0
	var worst time.Duration
	for b.Loop() {
		b.StopTimer()
		time.Sleep(100 * time.Millisecond) // the queue falls idle again
		job++
		enqueue(b, db, q, plan(service.JobID(strconv.Itoa(job))))
		b.StartTimer()
		began := time.Now()
		<-ran
		worst = max(worst, time.Since(began))
	}
	b.ReportMetric(worst.Seconds()*1e3, "worst-ms")
}

// BenchmarkIdle is the processor time that a queue takes without tasks.
func BenchmarkIdle(b *testing.B) {
	const long = 20 * time.Second
	for _, poll := range []time.Duration{500 * time.Millisecond, jobs.Default().Poll} {
		b.Run(poll.String(), func(b *testing.B) {
			c := config()
			c.Poll = poll
			start(b, setup(b, newDB(b), c), worker{})
			time.Sleep(time.Second)
			var used time.Duration
			for b.Loop() {
				before := processorTime(b)
				time.Sleep(long)
				used += processorTime(b) - before
			}
			b.ReportMetric(used.Seconds()*1e3/(long.Seconds()*float64(b.N)), "cpu-ms/s")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
