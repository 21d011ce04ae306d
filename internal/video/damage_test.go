package video

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// damages are what happens to files on their way.
var damages = map[string]func([]byte) []byte{
	"whole":         func(b []byte) []byte { return b },
	"cut":           func(b []byte) []byte { return b[:len(b)*45/100] },
	"zeroed middle": func(b []byte) []byte { clear(b[len(b)*40/100 : len(b)*55/100]); return b },
	"zeroed end":    func(b []byte) []byte { clear(b[len(b)*55/100:]); return b },
}

// kinds are ways to write a video of 12 s.
var kinds = map[string]string{
	"mkv.mkv":               "-c:v libx264 -g 25 -c:a aac",
	"vp9.webm":              "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus",
	"silent.webm":           "-c:v libvpx -deadline realtime -g 25 -an",
	"cues first.mkv":        "-c:v libx264 -g 25 -c:a aac -cues_to_front 1",
	"mpeg4.avi":             "-c:v mpeg4 -g 25 -bf 0 -c:a mp3",
	"h264.avi":              "-c:v libx264 -g 25 -an",
	"faststart.mp4":         "-c:v libx264 -g 25 -c:a aac -movflags +faststart",
	"hevc.mp4":              "-c:v libx265 -x265-params log-level=none -g 25 -an -movflags +faststart",
	"fragmented.mp4":        "-c:v libx264 -g 25 -c:a aac -movflags +frag_keyframe+empty_moov",
	"silent fragmented.mp4": "-c:v libx264 -g 25 -an -movflags +frag_keyframe+empty_moov",
	"h264.ts":               "-c:v libx264 -g 25 -c:a aac",
	"mpeg2.ts":              "-c:v mpeg2video -q:v 5 -g 12 -bf 2 -an",
	"h264.flv":              "-c:v libx264 -g 25 -an",
	"mpeg2.mpg":             "-c:v mpeg2video -q:v 5 -g 12 -bf 2 -an",
	"cbr.ts":                "-c:v mpeg2video -b:v 1M -g 12 -an -muxrate 3M",
}

// TestDamageIsSaid damages files of every kind: what is missing is said, and the duration is that of what is there.
func TestDamageIsSaid(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for name, args := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), name)
			words := []string{
				"-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=12", "-f", "lavfi", "-i",
				"sine=duration=12",
			}
			run(t, append(append(words, strings.Fields(args)...), path)...)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for damage, do := range damages {
				damaged := filepath.Join(t.TempDir(), damage+" "+name)
				if err := os.WriteFile(damaged, do(slices.Clone(whole)), 0o600); err != nil {
					t.Fatal(err)
				}
				checkDamage(t, d, damaged, damage)
			}
		})
	}
}

func checkDamage(t *testing.T, d *Decoder, path, damage string) {
	t.Helper()
	p := plan(t, d, open(t, path))
	n, said, err := decodeAll(t, d, path)
	t.Logf("%s: %d frames, %v, %q %v", damage, n, p.Info.Duration, said, err)
	seconds := p.Info.Duration.Seconds()
	switch {
	case err != nil:
		t.Error(damage, err)
	case damage == "whole" && (len(said) > 0 || n < 60 || n > 61 || seconds < 11.9 || seconds > 12.2):
		t.Errorf("nothing is damaged: %d frames, %v, %q", n, p.Info.Duration, said)
	case damage != "whole" && (len(said) == 0 || n < 20):
		t.Errorf("%s: %d frames, %q", damage, n, said)
	case damage == "cut" && (!p.Damage.Truncated || seconds < 4 || seconds > 6.5):
		t.Errorf("%s: %v of 12 s, %q", damage, p.Info.Duration, said)
	}
}

// TestPausesAreNoDamage leaves out frames, as cameras do that film nothing.
func TestPausesAreNoDamage(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for _, name := range []string{"a.mkv", "a.ts", "a.mp4", "a.flv"} {
		path := media(t, name, "@pattern -c:v libx264 -vf select='lt(t,1)+gt(t,3)' -fps_mode vfr")
		if n, said, err := decodeAll(t, d, path); err != nil || len(said) > 0 || n < 10 {
			t.Errorf("%s: %d frames, %q %v", name, n, said, err)
		}
	}
}

// TestJoinedRecordings searches files that were joined as cat does it: every clock goes on where the one before ended.
func TestJoinedRecordings(t *testing.T) {
	t.Parallel()
	one := media(t, "one.ts", "@pattern -c:v libx264 -g 25 -t 2")
	late := media(t, "late.ts", "@pattern -c:v libx264 -g 25 -t 2 -output_ts_offset 7000")
	other := media(t, "other.ts", "@pattern320x240 -c:v mpeg2video -g 25 -t 2")
	for name, c := range map[string]struct {
		parts  []string
		length time.Duration
	}{
		"clock restarts":       {[]string{one, one, one}, 6 * time.Second},
		"clock leaps and back": {[]string{one, late, one}, 6 * time.Second},
		"clock is late":        {[]string{late, late}, 4 * time.Second},
		"as one":               {[]string{other, other}, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "joined.ts")
			var all []byte
			for _, part := range c.parts {
				b, err := os.ReadFile(part)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, b...)
			}
			if err := os.WriteFile(path, all, 0o600); err != nil {
				t.Fatal(err)
			}
			f := open(t, path)
			d := newDecoder(t)
			p := plan(t, d, f)
			if p.Info.Duration.Round(100*time.Millisecond) != c.length {
				t.Errorf("%v long, want %v", p.Info.Duration, c.length)
			}
			shots, stats := watch(t, d, f, p, StreamOptions{SampleRate: 5})
			// Each segment reads on to the keyframe after it, and no further: not into what follows by another clock.
			read, most := int64(0), int64(25*c.length.Seconds())+int64(30*len(stats))
			for _, s := range stats {
				read += s.Packets
			}
			if read > most {
				t.Errorf("%d packets read in %d segments, want at most %d", read, len(stats), most)
			}
			for i := range shots[1:] {
				if gap := shots[i+1].time - shots[i].time; gap <= 0 || gap > 500*time.Millisecond {
					t.Errorf("%v follows %v", shots[i+1].time, shots[i].time)
				}
			}
			if want := int(c.length.Seconds() * 5); len(shots) < want-len(c.parts) || len(shots) > want+len(c.parts) {
				t.Errorf("%d frames of %d", len(shots), want)
			}
			for _, s := range stats {
				if w := s.Damage.Warnings(); len(w) > 0 {
					t.Errorf("%q", w)
				}
			}
		})
	}
}

// TestClocksThatStartLate has files that begin at seven hours.
func TestClocksThatStartLate(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for _, name := range []string{"a.mkv", "a.ts", "a.mp4", "a.webm", "a.flv"} {
		codec := "libx264"
		if name == "a.webm" {
			codec = "libvpx -deadline realtime"
		}
		path := media(t, name, "@pattern -c:v "+codec+" -output_ts_offset 25200")
		p := plan(t, d, open(t, path))
		if have := p.Info.Duration; (have - 4*time.Second).Abs() > 100*time.Millisecond {
			t.Errorf("%s: %v, want 4s", name, have)
		}
		if n, said, err := decodeAll(t, d, path); n != 20 || len(said) > 0 || err != nil {
			t.Errorf("%s: %d frames, %q %v", name, n, said, err)
		}
	}
}

// FuzzStructure reads arbitrary bytes as the outermost level of files.
func FuzzStructure(f *testing.F) {
	f.Add([]byte("RIFF\x10\x00\x00\x00AVI LIST"))
	f.Add([]byte("\x1a\x45\xdf\xa3\x81\x00\x18\x53\x80\x67\x88ab"))
	f.Add([]byte(strings.Repeat("G"+strings.Repeat("\x00", 187), 12)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		if end := segmentEnd(r); end < 0 {
			t.Errorf("segment ends at %d", end)
		}
		riffEnd(r)
		programEnd(r, int64(len(b)))
		s := NewTransport(r, 0, int64(len(b)))
		s.Damaged(int64(len(b)/3), s.End())
	})
}
