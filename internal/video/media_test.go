package video

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// media makes a video with the ffmpeg command line. The words of args are ffmpeg's output options; @pattern stands for
// a moving test picture of 4 s at 25 frames a second.
func media(tb testing.TB, name string, args string) string {
	tb.Helper()
	needFFmpeg(tb)
	path := filepath.Join(tb.TempDir(), name)
	words := []string{"-v", "error", "-nostdin", "-y", "-bitexact"}
	for w := range strings.FieldsSeq(args) {
		if size, ok := strings.CutPrefix(w, "@pattern"); ok {
			if size == "" {
				size = "160x120"
			}
			words = append(words, "-f", "lavfi", "-i", "testsrc2=size="+size+":rate=25:duration=4")
			continue
		}
		words = append(words, strings.ReplaceAll(w, "@dir", filepath.Dir(path)))
	}
	run(tb, append(words, path)...)
	return path
}

func run(tb testing.TB, args ...string) {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "ffmpeg", args...).CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "Unknown encoder") {
			tb.Skipf("this ffmpeg lacks an encoder: %s", out)
		}
		tb.Fatalf("ffmpeg %v: %v\n%s", args, err, out)
	}
}

// shot is a delivered frame, reduced to what is compared.
type shot struct {
	time  time.Duration
	full  string // MD5 of the visible samples
	small string
}

func hashOf(p *face.Picture) string {
	h := md5.New()
	for i, plane := range p.Planes {
		w, rows := p.Width, p.Height
		if i > 0 {
			w, rows = (w+1)/2, (rows+1)/2
		}
		for y := range rows {
			h.Write(plane[y*p.Strides[i] : y*p.Strides[i]+w])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// watch is every frame of a plan's segments in turn.
func watch(tb testing.TB, d *Decoder, f *os.File, plan *Plan, o StreamOptions) ([]shot, []Stats) {
	tb.Helper()
	var shots []shot
	var stats []Stats
	for _, seg := range plan.Segments {
		s, err := d.Open(tb.Context(), f, plan, seg, o)
		if err != nil {
			tb.Fatalf("open segment %d: %v", seg.Index, err)
		}
		shots = append(shots, drain(tb, s)...)
		stats = append(stats, s.Stats())
		if err := s.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return shots, stats
}

func drain(tb testing.TB, s *Stream) []shot {
	tb.Helper()
	var shots []shot
	for {
		frame, err := s.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return shots
		}
		if err != nil {
			tb.Fatalf("frame %d: %v", len(shots), err)
		}
		if err := errors.Join(frame.Full.Check(), frame.Small.Check()); err != nil {
			tb.Fatal(err)
		}
		shots = append(shots, shot{frame.Time, hashOf(&frame.Full), hashOf(&frame.Small)})
	}
}

func plan(tb testing.TB, d *Decoder, f *os.File) *Plan {
	tb.Helper()
	p, err := d.Plan(tb.Context(), f)
	if err != nil {
		tb.Fatalf("plan %s: %v", filepath.Base(f.Name()), err)
	}
	return p
}

// reference is every frame of a video as the ffmpeg command line decodes it, with its presentation time.
func reference(tb testing.TB, path string) []shot {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), "ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", path, "-map", "0:v:0",
		"-fps_mode", "passthrough", "-enc_time_base", "-1", "-pix_fmt", "yuv420p", "-f", "framemd5", "-").Output()
	if err != nil {
		tb.Fatal(err)
	}
	base := 0.0
	var shots []shot
	for line := range strings.Lines(string(out)) {
		if tb, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			a, b, _ := strings.Cut(strings.TrimSpace(tb), "/")
			num, _ := strconv.ParseFloat(a, 64)
			den, _ := strconv.ParseFloat(b, 64)
			base = num / den
		}
		fields := strings.Split(line, ",")
		if strings.HasPrefix(line, "#") || len(fields) != 6 {
			continue
		}
		pts, _ := strconv.ParseInt(strings.TrimSpace(fields[2]), 10, 64)
		shots = append(shots, shot{time: time.Duration(float64(pts) * base * 1e9), full: strings.TrimSpace(fields[5])})
	}
	return shots
}
