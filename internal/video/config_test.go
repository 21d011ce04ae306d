package video

import (
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// TestCPULimitFollowsContent holds the limits of short and long videos against what they may honestly need.
func TestCPULimitFollowsContent(t *testing.T) {
	t.Parallel()
	l := DefaultConfig().Limits
	for name, c := range map[string]struct {
		width, height int32
		length        time.Duration
		rate          float64
		bytes         int64
		least, most   uint64 // seconds to decode the first 15 s
	}{
		"3 s of a small picture":         {640, 360, 3 * time.Second, 25, 220_000, 8, 12},
		"3 s of 8K at 60 a second":       {7680, 4320, 3 * time.Second, 60, 30 << 20, 180, 181},
		"a call that grew to full HD":    {160, 90, 15 * time.Second, 15, 4 << 20, 40, 421}, // 6 s on a server's core
		"slow motion of a phone":         {1920, 1080, 20 * time.Second, 240, 100 << 20, 421, 421},
		"6 h of full HD":                 {1920, 1080, 6 * time.Hour, 30, 9 << 30, 421, 421},
		"a file that claims to be empty": {0, 0, 0, 0, 0, 3, 8},
	} {
		plan := &Plan{Track: Track{Geometry: wire.Geometry{Width: c.width, Height: c.height}, Bytes: c.bytes}}
		plan.Info.Duration, plan.Info.FrameRate = c.length, c.rate
		absolute := l.cpuSeconds(min(c.length, 15*time.Second))
		have := l.decodeSeconds(plan, min(c.length, 15*time.Second))
		if have < min(c.least, absolute) || have > c.most || have > absolute {
			t.Errorf("%s: %d s of CPU, want %d to %d", name, have, c.least, c.most)
		}
	}
	if small, large := l.planSeconds(time.Minute, 220_000), l.planSeconds(11*time.Minute, 10<<30); small > 20 || large != l.cpuSeconds(11*time.Minute) {
		t.Errorf("%d s of CPU to plan a small file, %d s a large one", small, large)
	}
}

// TestSpinningChild has a child that takes its limits, as asked, and then spins: a short video's limit ends it.
func TestSpinningChild(t *testing.T) {
	t.Parallel()
	f, p := tinyPlan(t)
	d := newLiar(t, "spins")
	d.cfg.Limits.CPUStart, d.cfg.Limits.CPUPerPixel = time.Second, 1
	s, err := d.Open(t.Context(), f, p, p.Segments[1], StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	_, err = s.Next(t.Context())
	wantKind(t, err, Timeout)
}
