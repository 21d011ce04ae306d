package main

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// timing is how long the answers to one operation took.
type timing struct {
	Operation string        `json:"operation"`
	Requests  int           `json:"requests"`
	PerSecond float64       `json:"per_second"`
	P50       time.Duration `json:"p50"`
	P90       time.Duration `json:"p90"`
	P99       time.Duration `json:"p99"`
	Max       time.Duration `json:"max"`
}

// record collects answers. Safe for concurrent use.
type record struct {
	mu     sync.Mutex
	took   map[string][]time.Duration
	errors map[string]int
}

func newRecord() *record {
	return &record{took: map[string][]time.Duration{}, errors: map[string]int{}}
}

// time counts the answer to one request. An error counts by its name as well.
func (r *record) time(operation string, ask func() error) error {
	began := time.Now()
	err := ask()
	took := time.Since(began)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took[operation] = append(r.took[operation], took)
	if err != nil {
		r.errors[operation+": "+nameOf(err)]++
	}
	return err
}

// limitExceeded is what Rekognition answers when too many jobs are open.
const limitExceeded = "LimitExceededException"

// nameOf is an error's name where it has one, or what it says.
func nameOf(err error) string {
	if e := smithy.APIError(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	return err.Error()
}

// timings are in the order of the operations' names.
func (r *record) timings(length time.Duration) []timing {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []timing
	for operation, took := range r.took {
		list = append(list, newTiming(operation, took, length))
	}
	slices.SortFunc(list, func(a, b timing) int {
		if a.Operation < b.Operation {
			return -1
		}
		return 1
	})
	return list
}

func newTiming(operation string, took []time.Duration, length time.Duration) timing {
	took = slices.Sorted(slices.Values(took))
	return timing{
		Operation: operation, Requests: len(took), PerSecond: float64(len(took)) / length.Seconds(),
		P50: percentile(took, 50), P90: percentile(took, 90), P99: percentile(took, 99), Max: percentile(took, 100),
	}
}

// percentile is the least value that p percent of a sorted list do not exceed; 0 of nothing.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*p+99)/100, 1)-1]
}

// slope is how much y grows for each x, by least squares; 0 of fewer than two points.
func slope(x, y []float64) float64 {
	n := float64(len(x))
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	if d := n*sxx - sx*sx; d > 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
