package main

import (
	"testing"
	"time"
)

// soaked are samples of an hour in which one figure grows to so many times what it was.
func soaked(grow func(s *sample, part float64)) (list []sample) {
	for i := range 1800 {
		s := sample{At: 2 * time.Duration(i) * time.Second, Server: 300e6, Heap: 30e6, Goroutines: 60, Files: 50, Database: 5e6, Log: 4e6}
		grow(&s, float64(i)/1800)
		list = append(list, s)
	}
	return list
}

func grown(samples []sample, jobs int) (names []string) {
	for _, g := range growthOf(samples, jobs) {
		if g.unbounded() {
			names = append(names, g.Name)
		}
	}
	return names
}

func TestWhatGrowsIsFound(t *testing.T) {
	t.Parallel()
	for name, grow := range map[string]func(s *sample, part float64){
		"resident":       func(s *sample, part float64) { s.Server += int64(part * 200e6) },
		"heap":           func(s *sample, part float64) { s.Heap += int64(part * 50e6) },
		"goroutines":     func(s *sample, part float64) { s.Goroutines += int(part * 100) },
		"descriptors":    func(s *sample, part float64) { s.Files += int(part * 100) },
		"database":       func(s *sample, part float64) { s.Database += int64(part * 100e6) },
		"database's log": func(s *sample, part float64) { s.Log += int64(part * 100e6) },
	} {
		if got := grown(soaked(grow), 100); len(got) != 1 || got[0] != name {
			t.Errorf("%s grows, and %q are found", name, got)
		}
	}
}

func TestWhatComesAndGoesDoesNotGrow(t *testing.T) {
	t.Parallel()
	waves := soaked(func(s *sample, part float64) {
		if int(part*1800)%5 == 0 { // a look that failed, or a peak
			*s = sample{Server: 900e6, Goroutines: 500, Files: 500, Log: 90e6}
		}
	})
	if got := grown(waves, 0); len(got) > 0 {
		t.Errorf("%q are said to grow", got)
	}
	kept := soaked(func(s *sample, part float64) { s.Database += int64(part * 30e6) })
	if got := grown(kept, 1000); len(got) > 0 {
		t.Errorf("%q are said to grow although jobs are kept", got)
	}
}
