package video

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/sandbox"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// lies are what a child that was taken over might say. Each is told by this test program in the decoder's place, after a
// request for decoding the second segment with two slots.
var lies = map[string]func(send func(wire.Message), raw func([]byte), r *wire.Request){
	"slot too high":           frameLie(func(f *wire.Frame) { f.Slot = 2 }),
	"slot negative":           frameLie(func(f *wire.Frame) { f.Slot = -1 }),
	"no width":                frameLie(func(f *wire.Frame) { f.Width = 0 }),
	"huge picture":            frameLie(func(f *wire.Frame) { f.Width, f.Height = 30000, 30000 }),
	"long picture":            frameLie(func(f *wire.Frame) { f.Width, f.Height = 1, 1<<20 }),
	"time negative":           frameLie(func(f *wire.Frame) { f.Time = -5 }),
	"time too late":           frameLie(func(f *wire.Frame) { f.Time = int64(200 * time.Hour) }),
	"unknown matrix":          frameLie(func(f *wire.Frame) { f.Matrix = 9 }),
	"time before the segment": frameLie(func(f *wire.Frame) { f.Time = int64(999 * time.Millisecond) }),
	"time after the segment":  frameLie(func(f *wire.Frame) { f.Time = int64(2 * time.Second) }),
	"time stands still": func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		send(&wire.Frame{Slot: 0, Width: 64, Height: 48, Time: lieTime})
		send(&wire.Frame{Slot: 1, Width: 64, Height: 48, Time: lieTime})
	},
	"frames miscounted": func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		send(&wire.Frame{Width: 64, Height: 48, Time: lieTime})
		send(&wire.Done{Delivered: 7})
	},
	"message for a planner": func(send func(wire.Message), _ func([]byte), _ *wire.Request) { send(&wire.Info{}) },
	"request to the parent": func(send func(wire.Message), _ func([]byte), r *wire.Request) { send(r) },
	"ready twice":           func(send func(wire.Message), _ func([]byte), _ *wire.Request) { send(&wire.Ready{}) },
	"rubbish":               func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw([]byte("rubbish")) },
	"nothing at all":        func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw(nil) },
	"too long":              func(_ func(wire.Message), raw func([]byte), _ *wire.Request) { raw(make([]byte, 4000)) },
	"dies":                  func(func(wire.Message), func([]byte), *wire.Request) { os.Exit(7) },
	"crashes": func(func(wire.Message), func([]byte), *wire.Request) {
		_ = unix.Kill(os.Getpid(), unix.SIGSEGV)
		select {}
	},
	"spins": func(_ func(wire.Message), _ func([]byte), r *wire.Request) {
		_ = sandbox.Decoder(sandbox.Limits{Memory: r.Memory, CPUSeconds: r.CPUSeconds})
		for { //nolint:revive // until the limit
		}
	},
	"unknown failure": func(send func(wire.Message), _ func([]byte), _ *wire.Request) { send(&wire.Failure{Reason: 200}) },
}

// honest is how many frames are true before the lie is told; other lies are told at once.
var honest = map[string]int{"time stands still": 1, "frames miscounted": 1}

// lieTime lies in the segment that the liar is asked for.
const lieTime = int64(1500 * time.Millisecond)

func frameLie(change func(*wire.Frame)) func(func(wire.Message), func([]byte), *wire.Request) {
	return func(send func(wire.Message), _ func([]byte), _ *wire.Request) {
		f := &wire.Frame{Slot: 1, Width: 64, Height: 48, Time: lieTime, Matrix: 1}
		change(f)
		send(f)
	}
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
		lie(send, raw, r)
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

// TestLyingChildIsRefused tells every lie in the decoder's place.
func TestLyingChildIsRefused(t *testing.T) {
	t.Parallel()
	for lie := range lies {
		if lie == "spins" { // see TestSpinningChild
			continue
		}
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			f, p := tinyPlan(t)
			s, err := newLiar(t, lie).Open(t.Context(), f, p, p.Segments[1], StreamOptions{Lookahead: 2})
			frames := 0
			if err == nil {
				defer func() { _ = s.Close() }()
				for err == nil && frames <= honest[lie] {
					if _, err = s.Next(t.Context()); err == nil {
						frames++
					}
				}
			}
			if errors.Is(err, io.EOF) || frames != honest[lie] {
				t.Fatalf("%d frames were handed out, then %v: the lie was believed", frames, err)
			}
			wantKind(t, err, Crashed)
		})
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
	for _, lie := range []string{"slot too high", "frames miscounted", "message for a planner", "rubbish", "dies"} {
		t.Run(lie, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "any.mp4")
			if err := os.WriteFile(path, []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := newLiar(t, lie).Plan(t.Context(), open(t, path))
			wantKind(t, err, Crashed)
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
