package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"
)

// idleReport is what a server without anything to do takes.
type idleReport struct {
	Ready    time.Duration `json:"ready"`     // from the start of the process
	Core     float64       `json:"core"`      // share of one core
	Resident int64         `json:"resident"`  // bytes, half of it the program's own file
	Private  int64         `json:"anonymous"` // bytes of it that are no file's
	For      time.Duration `json:"for"`
}

// settle is how long a server is left alone after its start.
const settle = 3 * time.Second

func measureIdle(ctx context.Context, o *options, r *report) (err error) {
	s, err := start(ctx, o, "idle", filepath.Join(o.work, "idle"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := wait(ctx, settle); err != nil {
		return err
	}
	pid := s.cmd.Process.Pid
	before := processorTime(pid)
	if err := wait(ctx, o.idle); err != nil {
		return err
	}
	r.Idle = &idleReport{
		Ready: s.ready, Core: float64(processorTime(pid)-before) / float64(o.idle),
		Resident: resident(pid), Private: anonymous(pid), For: o.idle,
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
