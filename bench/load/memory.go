package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// memory is how a server's memory went.
type memory struct {
	Samples []sample `json:"samples"`
	// Growth is in bytes a minute, over the second half of the samples: the first fills caches.
	Growth float64 `json:"growth_per_minute"`
	// First and Last are the means of the second half's own halves.
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// sample is a look at a server and its children.
type sample struct {
	At         time.Duration `json:"at"`
	Server     int64         `json:"server"`   // bytes resident
	Children   int64         `json:"children"` // bytes
	Heap       int64         `json:"heap"`     // bytes of Go's, in use
	Goroutines int           `json:"goroutines"`
	Files      int           `json:"files"`    // descriptors
	Database   int64         `json:"database"` // bytes of its file
	Log        int64         `json:"log"`      // bytes of the file with what is not in it yet
}

// sampleEvery is the time between two looks: each asks for the metrics, which costs some queries.
const sampleEvery = 2 * time.Second

// watchMemory looks at a server until done is called.
func watchMemory(ctx context.Context, s *server) (done func() memory) {
	ctx, cancel := context.WithCancel(ctx)
	var samples []sample
	var looking sync.WaitGroup
	began := time.Now()
	looking.Go(func() {
		for wait(ctx, sampleEvery) == nil {
			samples = append(samples, s.look(ctx, time.Since(began)))
		}
	})
	return func() memory {
		cancel()
		looking.Wait()
		return newMemory(samples)
	}
}

func (s *server) look(ctx context.Context, at time.Duration) sample {
	pid := s.cmd.Process.Pid
	values, _ := s.metrics(ctx)
	return sample{
		At: at, Server: resident(pid), Children: children(pid), Heap: int64(values["go_memstats_heap_inuse_bytes"]),
		Goroutines: int(values["go_goroutines"]), Files: int(values["process_open_fds"]),
		Database: fileSize(filepath.Join(s.data, "spotter.db")), Log: fileSize(filepath.Join(s.data, "spotter.db-wal")),
	}
}

// fileSize is 0 of a file that is not there.
func fileSize(path string) int64 {
	info, err := os.Stat(path) //nolint:gosec // of our own server
	if err != nil {
		return 0
	}
	return info.Size()
}

func newMemory(samples []sample) memory {
	m := memory{Samples: samples}
	half := samples[len(samples)/2:]
	var at, bytes []float64
	for _, s := range half {
		at, bytes = append(at, s.At.Minutes()), append(bytes, float64(s.Server))
	}
	m.Growth = slope(at, bytes)
	m.First, m.Last = mean(bytes[:len(bytes)/2]), mean(bytes[len(bytes)/2:])
	return m
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(len(values), 1))
}
