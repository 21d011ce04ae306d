package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cost is what one run of a program took, the processes it started included.
type Cost struct {
	CPU  time.Duration `json:"cpu"`
	Wall time.Duration `json:"wall"`
	// Peak is the largest proportional set size of the whole process tree that sampling saw, in bytes; 0 where nobody
	// looked.
	Peak int64 `json:"peak"`
}

// Spend runs a program to its end. What it prints is thrown away.
func Spend(ctx context.Context, name string, args ...string) (Cost, error) {
	return spend(exec.CommandContext(ctx, name, args...), true) //nolint:gosec // the programs under test
}

// Output runs a program to its end and gives what it prints. Its memory is not looked at, which takes a tenth of a core where a
// process has many mappings.
func Output(ctx context.Context, name string, args ...string) ([]byte, Cost, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the programs under test
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	c, err := spend(cmd, false)
	return stdout.Bytes(), c, err
}

func spend(cmd *exec.Cmd, memory bool) (Cost, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return Cost{}, err
	}
	done := make(chan struct{})
	peak := make(chan int64, 1)
	if memory {
		go func() { peak <- watch(cmd.Process.Pid, done) }()
	} else {
		peak <- 0
	}
	err := cmd.Wait()
	close(done)
	c := Cost{Wall: time.Since(start), Peak: <-peak}
	if err != nil {
		return c, fmt.Errorf("%s: %w\n%s", cmd, err, lastLines(stderr.String(), 5))
	}
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return c, nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(len(lines)-n, 0):], "\n")
}

// watch samples the memory of a process and its descendants until done is closed.
func watch(pid int, done <-chan struct{}) (peak int64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return peak
		case <-tick.C:
			peak = max(peak, treeMemory(pid))
		}
	}
}

// treeMemory leaves out children that have not become another program yet: they use their parent's memory, and it would
// count twice.
func treeMemory(pid int) int64 {
	sum := memory(pid)
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		raw, _ := os.ReadFile(t) //nolint:gosec // of our own child
		for f := range strings.FieldsSeq(string(raw)) {
			if child, err := strconv.Atoi(f); err == nil && program(child) != program(pid) {
				sum += treeMemory(child)
			}
		}
	}
	return sum
}

func program(pid int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return path
}

// memory is a process's proportional set size: shared pages are shared out between those who map them.
func memory(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0 // it ended
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// Median of what is given, which may be in any order.
func Median[T interface{ ~int64 | ~float64 }](xs []T) T {
	xs = slices.Sorted(slices.Values(xs))
	if n := len(xs); n%2 == 0 {
		return (xs[n/2-1] + xs[n/2]) / 2
	}
	return xs[len(xs)/2]
}

// Typical is the medians of the rounds, and the highest peak.
func Typical(costs []Cost) Cost {
	var cpu, wall []time.Duration
	var peak int64
	for _, c := range costs {
		cpu, wall, peak = append(cpu, c.CPU), append(wall, c.Wall), max(peak, c.Peak)
	}
	return Cost{CPU: Median(cpu), Wall: Median(wall), Peak: peak}
}

// Ratio is the median of the rounds' ratios.
func Ratio(a, b []Cost, of func(Cost) time.Duration) float64 {
	var rs []float64
	for i := range a {
		rs = append(rs, float64(of(a[i]))/float64(of(b[i])))
	}
	return Median(rs)
}
