package video

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// lie is what a child that was taken over might say.
type lie struct {
	tell   func(send func(wire.Message), raw func([]byte), r *wire.Request)
	honest int    // frames that are true before the lie is told; other lies are told at once
	found  string // in the error: what the parent saw, and not only that the child is gone
}

// lies are told by this test program in the decoder's place, after a request for decoding the second segment with two slots.
var lies = map[string]lie{
	"slot too high":           frameLie("slot 2 of 2", func(f *wire.Frame) { f.Slot = 2 }),
	"slot negative":           frameLie("slot -1 of 2", func(f *wire.Frame) { f.Slot = -1 }),
	"no width":                frameLie("picture of 0 x 48", func(f *wire.Frame) { f.Width = 0 }),
	"huge picture":            frameLie("picture of 30000 x 30000", func(f *wire.Frame) { f.Width, f.Height = 30000, 30000 }),
	"long picture":            frameLie("picture of 1 x 1048576", func(f *wire.Frame) { f.Width, f.Height = 1, 1<<20 }),
	"time negative":           frameLie("time -5 ", func(f *wire.Frame) { f.Time = -5 }),
	"time too late":           frameLie("time 720000000000000 outside", func(f *wire.Frame) { f.Time = int64(200 * time.Hour) }),
	"unknown matrix":          frameLie("colour matrix 9", func(f *wire.Frame) { f.Matrix = 9 }),
	"time before the segment": frameLie("time 999000000 outside", func(f *wire.Frame) { f.Time = int64(999 * time.Millisecond) }),
	"time after the segment":  frameLie("time 2000000000 outside", func(f *wire.Frame) { f.Time = int64(2 * time.Second) }),
	"time stands still": {func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		send(&wire.Frame{Slot: 0, Width: 64, Height: 48, Time: lieTime})
		send(&wire.Frame{Slot: 1, Width: 64, Height: 48, Time: lieTime})
	}, 1, "time 1500000000 after 1500000000"},
	"frames miscounted": {func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		send(&wire.Frame{Width: 64, Height: 48, Time: lieTime})
		send(&wire.Done{Delivered: 7})
	}, 1, "7 frames told, 1 seen"},
	"less than nothing": {func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		send(&wire.Done{Lost: -1})
	}, 0, "a count of -1"},
	"message for a planner": only(func(send func(wire.Message)) { send(&wire.Info{}) }, "unexpected *wire.Info"),
	"request to the parent": {func(send func(wire.Message), _ func([]byte), r *wire.Request) { send(r) }, 0, "unexpected *wire.Request"},
	"ready twice":           only(func(send func(wire.Message)) { send(&wire.Ready{}) }, "unexpected *wire.Ready"),
	"rubbish":               {func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw([]byte("rubbish")) }, 0, "version 114"},
	"nothing at all":        {func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw(nil) }, 0, "closed its line"},
	"too long":              {func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw(make([]byte, 4000)) }, 0, "version 0"},
	"dies":                  only(func(func(wire.Message)) { os.Exit(7) }, "exit status 7"),
	"wants what is there":   only(func(send func(wire.Message)) { send(&wire.Want{To: wire.Window}) }, "asks for a file that is there"),
	"has something itself":  only(func(send func(wire.Message)) { send(&wire.Have{To: 1}) }, "unexpected *wire.Have"),
	"unknown failure":       only(func(send func(wire.Message)) { send(&wire.Failure{Reason: 200}) }, "(200)"),
}

// misdeeds are what else a child that was taken over might do, or what might befall an honest one; each has a test.
var misdeeds = map[string]func(send func(wire.Message), r *wire.Request){
	"spins": func(_ func(wire.Message), r *wire.Request) {
		_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: r.CPUSeconds, Max: r.CPUSeconds})
		for i := 0; i >= 0; i = (i + 1) & 0xff { //nolint:revive // until the limit
		}
	},
	"floods": func(send func(wire.Message), _ *wire.Request) {
		for i := range 1_000_000 {
			send(&wire.Frame{Slot: int32(i % 2), Width: 64, Height: 48, Time: lieTime + int64(i)})
		}
	},
	"asks for ever": func(send func(wire.Message), _ *wire.Request) {
		go func() { // what has been asked for is read, and more asked for at once
			for buffer := make([]byte, wire.MaxMessage); ; {
				if n, _ := unix.Read(ControlFD, buffer); n <= 0 {
					os.Exit(0)
				}
			}
		}()
		for {
			send(&wire.Want{To: 3})
		}
	},
	"asks for too much": func(send func(wire.Message), _ *wire.Request) { send(&wire.Want{To: wire.Window}) },
	"asks beyond the end": func(send func(wire.Message), _ *wire.Request) {
		send(&wire.Want{From: wire.Window, To: 2 * wire.Window})
	},
	// Each frame waits for the slot of the one before to come back, which the socket tells, and never reads that it did.
	"never reads": func(send func(wire.Message), _ *wire.Request) {
		for i := range 1_000_000 {
			before, _ := unix.IoctlGetInt(ControlFD, unix.TIOCINQ)
			send(&wire.Frame{Slot: int32(i % 2), Width: 64, Height: 48, Time: lieTime + int64(i)})
			for waiting := before; waiting == before && i > 0; waiting, _ = unix.IoctlGetInt(ControlFD, unix.TIOCINQ) {
				time.Sleep(time.Microsecond)
			}
		}
	},
}

// lieTime lies in the segment that the liar is asked for.
const lieTime = int64(1500 * time.Millisecond)

func frameLie(found string, change func(*wire.Frame)) lie {
	return only(func(send func(wire.Message)) {
		f := &wire.Frame{Slot: 1, Width: 64, Height: 48, Time: lieTime, Matrix: 1}
		change(f)
		send(f)
	}, found)
}

func only(tell func(send func(wire.Message)), found string) lie {
	return lie{func(send func(wire.Message), _ func([]byte), _ *wire.Request) { tell(send) }, 0, found}
}

// liar plays spotter-decode: it tells the lie that the program's name (a link's) ends in.
func liar(name string) int {
	buffer := make([]byte, wire.MaxMessage)
	n, err := unix.Read(ControlFD, buffer)
	if err != nil {
		return 1
	}
	m, err := wire.Decode(buffer[:n])
	if err != nil {
		return 1
	}
	r, ok := m.(*wire.Request)
	if !ok {
		return 1
	}
	raw := func(b []byte) { _, _ = unix.Write(ControlFD, b) }
	send := func(m wire.Message) {
		b, _ := wire.Encode(m)
		raw(b)
	}
	if name != "weak sandbox" {
		send(&wire.Ready{Landlock: 6, Seccomp: true, Limits: true})
	}
	if lie, ok := lies[name]; ok {
		lie.tell(send, raw, r)
	} else if do, ok := misdeeds[name]; ok {
		do(send, r)
	} else {
		send(&wire.Ready{Landlock: 0, Seccomp: true, Limits: true})
	}
	time.Sleep(time.Minute) // to be killed by then
	return 0
}

// newLiar is a decoder whose helper is this test program under a name that says which lie to tell.
func newLiar(t *testing.T, lie string) *Decoder {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), strings.ReplaceAll(lie, " ", "-"))
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	d := &Decoder{cfg: DefaultConfig(), helper: link, now: time.Now}
	return d
}

// tinyPlan is the plan of a file that is never read.
func tinyPlan(t *testing.T) (*os.File, *Plan) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "any.mp4")
	if err := os.WriteFile(path, []byte("any"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Plan{
		// The segment in the middle of three: both its borders count.
		Segments: []Segment{
			{To: time.Second, Place: wire.Segment{From: wire.Beginning, To: 1000}},
			{Index: 1, From: time.Second, To: 2 * time.Second, Place: wire.Segment{From: 1000, To: 2000}},
			{Index: 2, From: 2 * time.Second, To: 3 * time.Second, Place: wire.Segment{From: 2000, To: wire.End}},
		},
		Track: Track{
			Container: wire.MP4, Clock: wire.Clock{Num: 1, Den: 1000}, Geometry: wire.Geometry{Width: 64, Height: 48}, Bytes: 3,
		},
	}
	return open(t, path), p
}

// TestLyingChildIsRefused tells every lie in the decoder's place: it is named, and nothing of it is handed out.
func TestLyingChildIsRefused(t *testing.T) {
	t.Parallel()
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, p := tinyPlan(t)
			s, err := newLiar(t, name).Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			for range lie.honest {
				if _, err = s.Next(t.Context()); err != nil {
					// What comes soon enough is looked at before the frames in front of it are handed out.
					wantFound(t, err, lie.found)
					return
				}
			}
			if _, err = s.Next(t.Context()); err == nil {
				t.Fatal("the lie was believed")
			}
			wantFound(t, err, lie.found)
		})
	}
}

func wantFound(t *testing.T, err error, found string) {
	t.Helper()
	if wantKind(t, err, Crashed); !strings.Contains(err.Error(), found) {
		t.Errorf("%v, want %q to be named", err, found)
	}
}

// TestSlotsThatWereNotGivenBack has a child that sends as fast as it can: a frame in a slot that this side still has is
// refused.
func TestSlotsThatWereNotGivenBack(t *testing.T) {
	t.Parallel()
	f, p := tinyPlan(t)
	s, err := newLiar(t, "floods").Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for err == nil {
		_, err = s.Next(t.Context())
	}
	wantFound(t, err, "was not given back")
}

// TestChildThatNeverReads has a child that lets what it is sent pile up: neither the time for waiting nor a cancellation is
// lost on it.
func TestChildThatNeverReads(t *testing.T) {
	t.Parallel()
	for _, cancel := range []bool{false, true} {
		f, p := tinyPlan(t)
		d := newLiar(t, "never reads")
		if !cancel {
			d.cfg.Limits.WallBase, d.cfg.Limits.WallPerSecond = 2*time.Second, 1
		}
		s, err := d.Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 4*time.Second)
		if !cancel {
			ctx = t.Context()
		}
		for err == nil {
			_, err = s.Next(ctx)
		}
		stop()
		if cancel && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's error", err)
		}
		if !cancel {
			wantKind(t, err, Timeout)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestChildThatAsksForEver has a child that wants the same part of the file again and again, each time before the answer.
func TestChildThatAsksForEver(t *testing.T) {
	t.Parallel()
	for _, cancel := range []bool{false, true} {
		f, p := tinyPlan(t)
		d := newLiar(t, "asks for ever")
		if !cancel {
			d.cfg.Limits.WallBase, d.cfg.Limits.WallPerSecond = 500*time.Millisecond, 1
		}
		asked := 0
		ctx, stop := context.WithCancel(t.Context())
		s, err := d.Fetching(func(_ context.Context, _, to int64) (int64, error) {
			if asked++; cancel && asked == 10 {
				stop()
			}
			return to, nil
		}).Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Next(ctx)
		stop()
		if cancel && (!errors.Is(err, context.Canceled) || asked > 10) {
			t.Errorf("%v, and it has asked %d times, want the context's error at once", err, asked)
		}
		if !cancel {
			wantKind(t, err, Timeout)
		}
		_ = s.Close()
	}
}

// TestChildThatAsksForMore has a child that wants what the file does not have: nothing is fetched.
func TestChildThatAsksForMore(t *testing.T) {
	t.Parallel()
	for _, lie := range []string{"asks for too much", "asks beyond the end"} {
		f, p := tinyPlan(t)
		s, err := newLiar(t, lie).Fetching(func(_ context.Context, from, to int64) (int64, error) {
			t.Errorf("%s: %d to %d is fetched", lie, from, to)
			return to, nil
		}).Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Next(t.Context())
		wantFound(t, err, "of 3")
		_ = s.Close()
	}
}

// TestWeakSandboxIsRefused lets a child admit that its sandbox is not complete.
func TestWeakSandboxIsRefused(t *testing.T) {
	t.Parallel()
	f, p := tinyPlan(t)
	_, err := newLiar(t, "weak sandbox").Open(t.Context(), f, p, p.Segments[0], StreamOptions{})
	wantKind(t, err, Crashed)
}

// TestLyingPlannerIsRefused sends decoder's answers to a request for a plan.
func TestLyingPlannerIsRefused(t *testing.T) {
	t.Parallel()
	for lie, found := range map[string]string{
		"slot too high": "unexpected *wire.Frame", "frames miscounted": "unexpected *wire.Frame", "message for a planner": "description",
		"rubbish": "version 114", "dies": "exit status 7", "less than nothing": "no description",
	} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "any.mp4")
			if err := os.WriteFile(path, []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := newLiar(t, lie).Plan(t.Context(), open(t, path))
			wantFound(t, err, found)
		})
	}
}

// TestMissingHelperFallsBack points at a helper that cannot run.
func TestMissingHelperFallsBack(t *testing.T) {
	t.Parallel()
	d := newTool(t)
	d.helper = filepath.Join(t.TempDir(), "missing")
	self, err := exec.LookPath(d.self)
	if err != nil {
		t.Skip(err)
	}
	d.self = self
	_, err = d.Plan(t.Context(), open(t, media(t, "a.mp4", "@pattern -c:v libx264 -t 1")))
	if err != nil {
		t.Fatal(err)
	}
}
