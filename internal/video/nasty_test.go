package video

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// evaluation is the folder of evaluation data: named by SPOTTER_EVALUATION, or beside the repository.
func evaluation(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("SPOTTER_EVALUATION")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "evaluation")
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Skip("no evaluation data here (set SPOTTER_EVALUATION): " + err.Error())
	}
	return dir
}

// TestNastyFiles decodes hostile and odd videos, with both decoders, and wants the outcome that their manifest names.
func TestNastyFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(evaluation(t), "nasty")
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Skip(err)
	}
	var manifest struct {
		Files []struct{ File, Kind, Expect string }
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*Decoder{"helper": newDecoder(t), "ffmpeg": newTool(t)} {
		for _, m := range manifest.Files {
			if m.Kind != "video" {
				continue
			}
			t.Run(name+"/"+filepath.Base(m.File), func(t *testing.T) {
				t.Parallel()
				n, warnings, err := decodeAll(t, d, filepath.Join(dir, m.File))
				t.Logf("%-14s %3d frames %v %v", m.Expect, n, warnings, err)
				if m.Expect == "success" && (err != nil || n == 0) {
					t.Errorf("%d frames, %v: want success", n, err)
				}
				if m.Expect == "clean-failure" && err == nil {
					t.Errorf("%d frames: want a failure", n)
				}
				if err != nil {
					e := ofKind(t, err, KindOf(err))
					if e.Kind == Crashed || e.Kind == Timeout || e.Kind == Unavailable {
						t.Errorf("kind %v", e.Kind)
					}
				}
			})
		}
	}
}

func decodeAll(t *testing.T, d *Decoder, path string) (frames int, warnings []string, err error) {
	t.Helper()
	f := open(t, path)
	p, err := d.Plan(t.Context(), f)
	if err != nil {
		return 0, nil, err
	}
	warnings = append(p.Warnings, p.Damage.Warnings()...)
	for _, seg := range p.Segments {
		s, err := d.Open(t.Context(), f, p, seg, StreamOptions{SampleRate: 5})
		if err != nil {
			return frames, warnings, err
		}
		for err == nil {
			if _, err = s.Next(t.Context()); err == nil {
				frames++
			}
		}
		warnings = append(warnings, s.Stats().Damage.Warnings()...)
		_ = s.Close()
		if !errors.Is(err, io.EOF) {
			return frames, warnings, err
		}
	}
	return frames, warnings, nil
}

// TestHamiltonStartsLate checks the clock with a clip whose video begins 852 ms into the container.
func TestHamiltonStartsLate(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	f := open(t, filepath.Join(evaluation(t), "clips", "hamilton.mp4"))
	shots, _ := watch(t, d, f, plan(t, d, f), StreamOptions{SampleRate: 5})
	if at := shots[0].time.Round(time.Millisecond); at != 852*time.Millisecond {
		t.Errorf("first frame at %v, want 852ms", at)
	}
}

// TestSniff names what is not a video, by its first bytes.
func TestSniff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		head, say string
		kind      Kind
	}{
		{"", "empty", Invalid},
		{"\ufeff#EXTM3U\n#EXTINF", "HLS playlist", Invalid},
		{"#extm3u", "HLS playlist", Invalid},
		{"ffconcat version 1.0", "ffconcat", Invalid},
		{"v=0\r\no=-", "SDP", Invalid},
		{"<!doctype html><html>", "web page", Invalid},
		{"<?xml version", "XML", Invalid},
		{"just some words\n", "text file", Invalid},
		{"\xff\xd8\xff\xe0", "JPEG", NoVideo},
		{"\x89PNG\r\n\x1a\n", "PNG", NoVideo},
		{"RIFF\x00\x00\x00\x00WEBPVP8 ", "WebP", NoVideo},
		{"RIFF\x00\x00\x00\x00WAVEfmt ", "WAV", NoVideo},
		{"\x00\x00\x00\x18ftypheic", "HEIC", NoVideo},
		{"DHAV\xfd\x00", "Dahua", Unsupported},
		{"4HKH\x00\x00", "Hikvision", Unsupported},
		{"OggS\x00\x02", "Ogg", Unsupported},
		{"PK\x03\x04", "ZIP", Invalid},
		{strings.Repeat("\x93\x01\xfe", 500), "no video that can be recognised", Invalid},
		{"version https://git-lfs.github.com/spec/v1\n", "Git LFS", Invalid},
	} {
		_, _, err := sniff(strings.NewReader(c.head))
		if err == nil || err.Kind != c.kind || !strings.Contains(err.Reason, c.say) {
			t.Errorf("%.20q: %v, want %q", c.head, err, c.say)
		}
	}
}

// FuzzSniff looks at arbitrary heads, and at arbitrary boxes.
func FuzzSniff(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x08mdat"))
	f.Add([]byte("\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte(strings.Repeat("G\x40\x00\x10", 200)))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := strings.NewReader(string(b))
		c, _, err := sniff(r)
		if (c == 0) == (err == nil) {
			t.Errorf("container %d and error %v", c, err)
		}
		readBoxes(r, int64(len(b)))
	})
}

// FuzzShowinfo reads arbitrary text as ffmpeg's output.
func FuzzShowinfo(f *testing.F) {
	f.Add("[Parsed_showinfo_1 @ 0x55] n:   0 pts:  12345 pts_time:1.2 s:64x48\n", uint8(7))
	f.Add("    title : [Parsed_showinfo_1 @ 0x55] n:   0 pts:  1\n", uint8(3))
	f.Fuzz(func(t *testing.T, text string, cut uint8) {
		whole, parts := newShowinfo(), newShowinfo()
		_, _ = whole.Write([]byte(text))
		at := min(int(cut), len(text))
		_, _ = parts.Write([]byte(text[:at]))
		_, _ = parts.Write([]byte(text[at:]))
		if len(whole.times) != len(parts.times) || (whole.bad == nil) != (parts.bad == nil) {
			t.Errorf("%d and %d times, %v and %v", len(whole.times), len(parts.times), whole.bad, parts.bad)
		}
		packetLine(text)
	})
}

func TestParseShowinfo(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"[Parsed_showinfo_2 @ 0x5581] n:   3 pts: -12345 pts_time:-1.2 fmt:yuv420p sar:1/1 s:640x360 i:P": "3 {-12345 640 360} true",
		"    title : [Parsed_showinfo_2 @ 0x5581] n:   3 pts: 5 s:1x1":                                    "0 {0 0 0} false",
		"[Parsed_showinfo_2 @ 0x5581] config in time_base: 1/90000":                                       "0 {0 0 0} false",
		"[Parsed_showinfo_2 @ 0x5581] n:   3 pts:NOPTS s:1x1":                                             "0 {0 0 0} false",
		"[Parsed_showinfo_2 @ 0x5581] n:   3 pts: 5 s:1y1":                                                "3 {5 0 0} false",
	} {
		n, pts, ok := parseShowinfo(line)
		if have := fmt.Sprint(n, pts, ok); have != want {
			t.Errorf("%q: %s, want %s", line, have, want)
		}
	}
}
