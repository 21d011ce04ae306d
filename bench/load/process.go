package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine describes what the figures come from.
type machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memory"` // bytes
	System  string `json:"system"`
	Go      string `json:"go"`
	Spotter string `json:"spotter"`
}

func describeMachine(ctx context.Context, o *options) machine {
	m := machine{
		CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.GOMAXPROCS(0), Memory: kilobytes("/proc/meminfo", "MemTotal"),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Spotter: o.spotter,
	}
	if out, err := exec.CommandContext(ctx, o.spotter, "version").Output(); err == nil { //nolint:gosec // the program under test
		m.Spotter = strings.TrimSpace(string(out))
	}
	return m
}

// loadAverage is how many processes wanted a core in the last minute; 0 where that is not told.
func loadAverage() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}

// field is the value of "name: value" in a file of /proc; empty if it is not there.
func field(path, name string) string {
	text, _ := os.ReadFile(path) //nolint:gosec // of /proc
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kilobytes is the value of a field that is given in kB, in bytes.
func kilobytes(path, name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
	return n << 10
}

// resident is the memory of a process in bytes: what its page tables hold, files mapped by it included.
func resident(pid int) int64 { return kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmRSS") }

// anonymous is the part of it that is no file's.
func anonymous(pid int) int64 { return kilobytes(fmt.Sprintf("/proc/%d/status", pid), "RssAnon") }

// children is the memory of all descendants of a process, pages shared between several counted once in all. A child that has
// not become another program yet still uses its parent's memory and does not count.
func children(pid int) (bytes int64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	self := executable(pid)
	for _, t := range tasks {
		text, _ := os.ReadFile(t) //nolint:gosec // of our own child
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil && executable(child) != self {
				bytes += kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", child), "Pss") + children(child)
			}
		}
	}
	return bytes
}

func executable(pid int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return path
}

// processorTime is what a process and its ended children have used so far.
func processorTime(pid int) time.Duration {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return parseProcessorTime(string(text))
}

// parseProcessorTime reads fields 14 to 17 of proc(5)'s stat. The second is a name in brackets that may hold anything.
func parseProcessorTime(stat string) time.Duration {
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:])
	const third, first, last = 3, 14, 17
	if len(fields) <= last-third {
		return 0
	}
	var ticks int64
	for _, f := range fields[first-third : last-third+1] {
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	const perSecond = 100 // USER_HZ on every Linux of today
	return time.Duration(ticks) * time.Second / perSecond
}
