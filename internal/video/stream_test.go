package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKilledChild ends the decoder in the middle of a segment: by a kill, and by faults as they happen in C.
func TestKilledChild(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	f := open(t, media(t, "a.mp4", "@pattern -c:v libx264"))
	p := plan(t, d, f)
	for signal, want := range map[syscall.Signal]struct {
		kind Kind
		says string
	}{
		unix.SIGKILL: {Killed, "memory"}, unix.SIGSEGV: {Crashed, "SIGSEGV"}, unix.SIGBUS: {Crashed, "SIGBUS"},
		unix.SIGABRT: {Crashed, "SIGABRT"},
	} {
		s, err := d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{Lookahead: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		h, ok := s.source.(*helperSource)
		if !ok {
			t.Fatalf("source is %T", s.source)
		}
		if err = h.child.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = s.Next(t.Context())
		}
		if wantKind(t, err, want.kind); !strings.Contains(err.Error(), want.says) {
			t.Errorf("%v: %v does not say %q", signal, err, want.says)
		}
		if !WorthAnother(err) {
			t.Errorf("%v: %v is not worth another try", signal, err)
		}
		if _, again := s.Next(t.Context()); !errors.Is(again, err) {
			t.Errorf("next after the end: %v", again)
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	}
	if again, _ := watch(t, d, f, p, StreamOptions{SampleRate: 5}); len(again) != 20 {
		t.Errorf("%d frames after a crash, want 20", len(again))
	}
}

// TestCancel cancels a stream that is waiting, and closes others unread.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]*Decoder{"helper": newDecoder(t), "tool": newTool(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, media(t, "a.mp4", "@pattern -c:v libx264"))
			p := plan(t, d, f)
			s, err := d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			for range 200 { // frames may be waiting already
				if _, err = s.Next(ctx); err != nil {
					break
				}
			}
			if !errors.Is(err, context.Canceled) && !errors.Is(err, io.EOF) {
				t.Errorf("error %v, want canceled", err)
			}
			if err = s.Close(); err != nil {
				t.Error(err)
			}
			if s, err = d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{Lookahead: 4}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNothingLeaks opens, reads, abandons and closes streams, and counts descriptors. It does not run in parallel: it
// counts the whole process's.
func TestNothingLeaks(t *testing.T) {
	d := newDecoder(t)
	f := open(t, media(t, "a.mp4", "@pattern -c:v libx264 -t 1"))
	bad := open(t, badFile(t))
	before := descriptors(t)
	for range 5 {
		p := plan(t, d, f)
		s, err := d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{SampleRate: 5, Lookahead: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Plan(t.Context(), bad); err == nil {
			t.Fatal("a broken file was planned")
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
	if left := childProcesses(); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func badFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bad.mp4")
	if err := os.WriteFile(path, []byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00garbage garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestPlanSurvivesJSON opens a segment of a plan that was kept.
func TestPlanSurvivesJSON(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, segmentsOf(time.Second))
	f := open(t, media(t, "a.mp4", "@pattern -c:v libx264 -g 25"))
	p := plan(t, d, f)
	want, _ := watch(t, d, f, p, StreamOptions{SampleRate: 5})
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	kept := new(Plan)
	if err := json.Unmarshal(b, kept); err != nil {
		t.Fatal(err)
	}
	have, _ := watch(t, d, f, kept, StreamOptions{SampleRate: 5})
	same(t, "kept plan", have, want)
}

// TestRefusedPlans opens plans that do not fit.
func TestRefusedPlans(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	f := open(t, media(t, "a.mp4", "@pattern -c:v libx264 -t 1"))
	for name, change := range map[string]func(*Plan){
		"no clock":      func(p *Plan) { p.Track.Clock.Den = 0 },
		"no container":  func(p *Plan) { p.Track.Container = 0 },
		"huge picture":  func(p *Plan) { p.Track.Geometry.Width, p.Track.Geometry.Height = 30000, 30000 },
		"other file":    func(p *Plan) { p.Track.Bytes++ },
		"empty segment": func(p *Plan) { p.Segments[0].Place.To = p.Segments[0].Place.From },
	} {
		p := plan(t, d, f)
		change(p)
		if s, err := d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{}); err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
		}
	}
}

// TestLimits holds videos against limits that are too low for them.
func TestLimits(t *testing.T) {
	t.Parallel()
	path := media(t, "a.mp4", "@pattern -c:v libx264")
	for name, change := range map[string]func(*Config){
		"pixels":   func(c *Config) { c.Limits.MaxPixels = 1000 },
		"bytes":    func(c *Config) { c.Limits.MaxBytes = 1000 },
		"duration": func(c *Config) { c.Limits.MaxDuration = 2 * time.Second },
	} {
		_, err := newDecoder(t, change).Plan(t.Context(), open(t, path))
		if err == nil {
			t.Errorf("%s: planned", name)
			continue
		}
		wantKind(t, err, TooLarge)
	}
	slow := newDecoder(t, func(c *Config) { c.Limits.WallBase, c.Limits.WallPerSecond = time.Second, 0.001 })
	slow.now = func() func() time.Time { // a clock on which every look takes a minute
		at := time.Now()
		return func() time.Time { at = at.Add(-time.Hour); return at }
	}()
	_, err := slow.Plan(t.Context(), open(t, path))
	wantKind(t, err, Timeout)
}

// TestPlanningSaves checks that packets nobody needs are not decoded.
func TestPlanningSaves(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	f := open(t, media(t, "b.mp4", "@pattern -c:v libx264 -preset medium -bf 3 -g 50"))
	p := plan(t, d, f)
	_, stats := watch(t, d, f, p, StreamOptions{SampleRate: 5})
	if s := stats[0]; s.Packets != 100 || s.Sent > 70 || s.Delivered != 20 || s.CPU <= 0 || s.PeakRSS <= 0 {
		t.Errorf("stats %+v: want at most 70 of 100 packets sent for 20 frames", s)
	}
}

// TestTurnedPictures turns a video by its display matrix and compares with ffmpeg's own turning of the pixels.
func TestTurnedPictures(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	flat := media(t, "flat.mp4", "@pattern162x120 -c:v libx264 -t 0.4")
	seen := map[int]bool{}
	for _, tag := range []string{"90", "180", "270"} {
		turned := filepath.Join(t.TempDir(), tag+".mp4")
		run(t, "-v", "error", "-i", flat, "-c", "copy", "-metadata:s:v:0", "rotate="+tag, turned)
		f := open(t, turned)
		p := plan(t, d, f)
		seen[p.Info.Rotation] = true
		upright := p.Info.Width > p.Info.Height
		if half := p.Info.Rotation == 180; half != upright {
			t.Errorf("rotation %d gives %d x %d", p.Info.Rotation, p.Info.Width, p.Info.Height)
		}
		sameAsReference(t, turned, first(watch(t, d, f, p, StreamOptions{})))
	}
	if seen[0] {
		t.Skip("this ffmpeg does not write rotations")
	}
	if len(seen) != 3 {
		t.Errorf("rotations %v, want three", seen)
	}
}

func first[A, B any](a A, _ B) A { return a }

// TestToolAgrees compares the ffmpeg command line's frames with the helper's: all of them, and its own when cut.
func TestToolAgrees(t *testing.T) {
	t.Parallel()
	helper, tool := newDecoder(t), newTool(t, segmentsOf(time.Second))
	for _, c := range []struct{ file, args string }{
		{"b.mp4", "@pattern -c:v libx264 -g 25 -bf 2"},
		{"open.ts", "@pattern -c:v libx264 -x264-params open-gop=1:keyint=25:min-keyint=25:scenecut=0:bframes=3"},
		{"vfr.mkv", "@pattern -vf select='lt(n,30)+not(mod(n,7))' -fps_mode vfr -c:v libx264 -g 20 -bf 2"},
		{"offset.mp4", "@pattern -c:v libx264 -g 25 -output_ts_offset 5"},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			f := open(t, media(t, c.file, c.args))
			hp, tp := plan(t, helper, f), plan(t, tool, f)
			want, _ := watch(t, helper, f, hp, StreamOptions{})
			have, _ := watch(t, tool, f, tp, StreamOptions{})
			ignoreSmall := func(s []shot) []shot {
				s = slices.Clone(s)
				for i := range s {
					s[i].small = ""
				}
				return s
			}
			same(t, "ffmpeg's frames", ignoreSmall(have), ignoreSmall(want))
			some, _ := watch(t, tool, f, tp, StreamOptions{SampleRate: 5})
			subset(t, some, have)
			if len(some) < 15 || len(some) > 22 {
				t.Errorf("%d sampled frames", len(some))
			}
		})
	}
}

// TestToolSaysWhatItLacks wants the fallback's limits where people look: beside each video, and in what the doctor prints.
func TestToolSaysWhatItLacks(t *testing.T) {
	t.Parallel()
	d := newTool(t)
	p := plan(t, d, open(t, media(t, "b.mp4", "@pattern -c:v libx264 -g 25 -bf 2")))
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], toolLacks) {
		t.Errorf("warnings %q", p.Warnings)
	}
	told := func(d *Decoder) bool {
		return slices.ContainsFunc(d.Check(t.Context()).Items, func(i HealthItem) bool { return strings.Contains(i.Detail, toolLacks) })
	}
	if !told(d) {
		t.Error("the doctor does not say it")
	}
	if whole := newDecoder(t); told(whole) {
		t.Error("the doctor says it though the helper runs")
	}
}

// TestOverlay burns a script in and looks whether something was drawn where and when it should be.
func TestOverlay(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	path := media(t, "a.mkv", "-f lavfi -i color=black:size=320x240:rate=25:duration=2 -f lavfi -i sine=duration=2 -c:v libx264 -c:a libvorbis")
	const script = "[Script Info]\nScriptType: v4.00+\nPlayResX: 320\nPlayResY: 240\n\n[V4+ Styles]\n" +
		"Format: Name, Fontname, Fontsize, PrimaryColour, Alignment\nStyle: box,Sans,20,&H00FFFFFF,7\n\n[Events]\n" +
		"Format: Layer, Start, End, Style, Text\n" +
		"Dialogue: 0,0:00:01.00,0:00:02.00,box,{\\pos(0,0)\\p1}m 0 0 l 320 0 320 240 0 240{\\p0}\n"
	out := emptyFile(t)
	var told time.Duration
	err := d.Overlay(t.Context(), open(t, path), -1, []byte(script), out, func(at time.Duration) { told = at })
	if KindOf(err) == Unavailable {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if told == 0 {
		t.Error("no progress was told")
	}
	f := open(t, out)
	p := plan(t, d, f)
	s, err := d.Open(t.Context(), f, p, p.Segments[0], StreamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for {
		frame, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		bright := frame.Full.Planes[0][120*frame.Full.Strides[0]+160] > 128
		if want := frame.Time >= time.Second; bright != want {
			t.Errorf("at %v: drawn %v, want %v", frame.Time, bright, want)
		}
	}
	if content, err := os.ReadFile(out); err != nil || !bytes.Contains(content, []byte(OverlayComment)) {
		t.Errorf("the copy does not say what it is (%v)", err)
	}
}

// TestOverlayFailsCleanly writes nothing when the input is no video.
func TestOverlayFailsCleanly(t *testing.T) {
	t.Parallel()
	d := newTool(t)
	out := emptyFile(t)
	err := d.Overlay(t.Context(), open(t, badFile(t)), -1, nil, out, nil)
	wantKind(t, err, Invalid)
	if list, _ := os.ReadDir(filepath.Dir(out)); len(list) != 1 {
		t.Errorf("beside the output: %v", list)
	}
	if info, err := os.Stat(out); err != nil || info.Size() > 0 {
		t.Errorf("something was written (%v)", err)
	}
}

// emptyFile is a file to write to.
func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.mp4")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSandboxHolds lets the child try to break out.
func TestSandboxHolds(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	test, item := d.checkHelper(t.Context())
	if test == nil {
		t.Fatal(item.Detail)
	}
	t.Logf("%+v", *test)
	if test.Landlock == 0 || !test.Seccomp {
		t.Skip("this kernel has no Landlock or no seccomp")
	}
	if !test.OK() || len(test.Attempts) < 15 {
		t.Errorf("the sandbox does not hold: %+v", *test)
	}
	if h := d.Check(t.Context()); !h.Usable || len(h.Items) < 6 {
		t.Errorf("health %+v", h)
	}
}

// TestWritableInput passes a descriptor that may write; the child must not get it so.
func TestWritableInput(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	f, err := os.OpenFile(media(t, "a.mp4", "@pattern -c:v libx264 -t 1"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	in, err := d.input(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.file.Close() }()
	flags, err := unix.FcntlInt(in.file.Fd(), unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != unix.O_RDONLY {
		t.Errorf("flags %x, %v: want read-only", flags, err)
	}
	if p := plan(t, d, f); p.Info.Width != 160 {
		t.Errorf("plan %+v", p.Info)
	}
}

// TestToolSandboxHolds runs other programs than ffmpeg through the stage and lets them try what ffmpeg must not do.
func TestToolSandboxHolds(t *testing.T) {
	t.Parallel()
	d := newTool(t)
	dir := t.TempDir()
	secret, given := filepath.Join(dir, "secret"), filepath.Join(dir, "given")
	for _, path := range []string{secret, given} {
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	try := func(program string, read []string, args ...string) ([]byte, error) {
		order := stageOrder{Program: program, Args: args, Read: read}
		order.Limits.Memory, order.Limits.CPUSeconds = 512<<20, 10
		return d.run(t.Context(), toolRun{order: order}, 1000, time.Minute)
	}
	out, err := try("/bin/cat", []string{given}, given)
	if KindOf(err) == Unavailable {
		t.Skip(err)
	}
	if err != nil || string(out) != "text" {
		t.Fatalf("a file that may be read: %q, %v", out, err)
	}
	for name, attempt := range map[string][]string{
		"read another file": {"/bin/cat", secret},
		"create a file":     {"/bin/touch", filepath.Join(dir, "new")},
		"remove a file":     {"/bin/rm", "-f", secret},
		"run a program":     {"/usr/bin/env", "/bin/true"},
		"start a process":   {"/bin/sh", "-c", "(:) && :"},
	} {
		if out, err := try(attempt[0], []string{given}, attempt[1:]...); err == nil {
			t.Errorf("%s: allowed, %q", name, out)
		}
	}
}

// TestTruncatedFiles cuts files in the middle: what is there is delivered, with a warning where the loss can be seen.
func TestTruncatedFiles(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for _, c := range []struct {
		file, args string
		warns      bool
	}{
		{"a.mp4", "@pattern -c:v libx264 -g 25 -movflags +faststart", true},
		{"a.mkv", "@pattern -c:v libx264 -g 25", false},
		{"a.ts", "@pattern -c:v libx264 -g 25", false},
		{"a.avi", "@pattern -c:v mjpeg", false},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			path := media(t, c.file, c.args)
			st, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err = os.Truncate(path, st.Size()/2); err != nil {
				t.Fatal(err)
			}
			n, warnings, err := decodeAll(t, d, path)
			if err != nil || n < 5 || n > 15 {
				t.Errorf("%d frames, %v: want about half of 20", n, err)
			}
			if told := strings.Contains(strings.Join(warnings, "\n"), "ends too early"); c.warns && !told {
				t.Errorf("warnings %q say nothing of the loss", warnings)
			}
		})
	}
}
