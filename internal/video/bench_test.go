package video

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// BenchmarkDecode measures the child's CPU time for five frames a second as a ratio to ffmpeg's for decoding everything
// with one thread, in the same run. SPOTTER_CLIP names the video.
func BenchmarkDecode(b *testing.B) {
	path := os.Getenv("SPOTTER_CLIP")
	if path == "" {
		b.Skip("SPOTTER_CLIP names no video")
	}
	d := newDecoder(b)
	f := open(b, path)
	p := plan(b, d, f)
	var ours, theirs time.Duration
	var peak int64
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), "ffmpeg", "-v", "error", "-threads", "1", "-i", path, "-map", "0:v:0", "-f", "null", "-")
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		theirs += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		for _, seg := range p.Segments {
			stats := count(b, d, f, p, seg)
			ours += stats.CPU
			peak = max(peak, stats.PeakRSS)
		}
	}
	seconds := p.Info.Duration.Seconds() * float64(b.N)
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(float64(ours.Milliseconds())/seconds, "cpu-ms/video-s")
	b.ReportMetric(float64(theirs.Milliseconds())/seconds, "ffmpeg-cpu-ms/video-s")
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
}

// BenchmarkStart measures what a process for one frame costs.
func BenchmarkStart(b *testing.B) {
	d := newDecoder(b)
	f := open(b, media(b, "one.mp4", "@pattern64x48 -c:v libx264 -frames:v 1"))
	p := plan(b, d, f)
	var cpu time.Duration
	for b.Loop() {
		cpu += count(b, d, f, p, p.Segments[0]).CPU
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/start")
}

func count(b *testing.B, d *Decoder, f *os.File, p *Plan, seg Segment) Stats {
	b.Helper()
	s, err := d.Open(b.Context(), f, p, seg, StreamOptions{SampleRate: 5})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for err == nil {
		_, err = s.Next(context.Background())
	}
	if !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
	return s.Stats()
}
