package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
)

// measureProfile searches the first clip under the Go profiler and prints the heaviest calls of the parent process by
// cumulative time, beside what all processes took: the difference is the decoder child's.
func measureProfile(ctx context.Context, o options, w io.Writer) error {
	for _, c := range clips() {
		video, err := c.make(ctx, o)
		if err != nil {
			return err
		}
		profile := filepath.Join(o.work, c.name+".pprof")
		total, err := search(ctx, o, video, 1, "--cpuprofile", profile)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: all processes %.1f s CPU; of the parent:\n", c.name, total.CPU.Seconds())
		cmd := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount=45", o.spotter, profile) //nolint:gosec // our own files
		cmd.Stdout = w
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("read the profile: %w", err)
		}
	}
	return nil
}
