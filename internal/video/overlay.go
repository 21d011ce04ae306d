package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/sandbox"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// scriptPath is the subtitle script's inherited descriptor by a name that ffmpeg can open.
const scriptPath = "/proc/self/fd/4"

// OverlayComment is what an annotated copy carries as its comment, so that a later one may take its place and nothing else's.
const OverlayComment = "Annotated by Spotter"

// What an overlay may use. x264 at 4K with its look-ahead was seen to need about 1.5 GB.
const (
	overlayMemory = 4 << 30
	// maxScript bounds the script: a busy hour of boxes is some 10 MB.
	maxScript = 256 << 20
	// overlayGrowth is how much larger than its input (or than overlayFloor) an output may be: re-encoding at this
	// quality seldom doubles a file, but a still picture's file may grow more.
	overlayGrowth = 20
	overlayFloor  = 1 << 30
)

// Overlay burns an ASS subtitle script into a video's track (one of a plan's Videos; below 0 the one that the file marks, or the
// first) and writes that as MP4 (H.264, sound copied, or made AAC where MP4
// cannot hold it). Script times are times from the start of the container, as everywhere. progress, if not nil, is told
// how far the output has come, from another goroutine. out is an empty file to write to, and is the caller's to name when it
// is complete, and to remove when there is an error. The copy says by its comment what it is: [OverlayComment].
func (d *Decoder) Overlay(
	ctx context.Context, in *os.File, track int32, ass []byte, out string, progress func(time.Duration),
) error {
	if d.ffmpeg == "" || d.ffprobe == "" {
		return fail(Unavailable, nil, "Writing an annotated video needs ffmpeg and ffprobe, which were not found. Install ffmpeg.")
	}
	if err := d.hasAssFilter(ctx); err != nil {
		return err
	}
	if len(ass) > maxScript {
		return fail(TooLarge, nil, "The script of what to draw has %d MB; the limit is %d MB.", len(ass)>>20, maxScript>>20)
	}
	src, err := d.input(ctx, in)
	if err != nil {
		return err
	}
	defer func() { _ = src.file.Close() }()
	src.track = track
	about, err := d.probeOverlay(ctx, src)
	if err != nil {
		return explain(ctx, err, src)
	}
	script, err := scriptFile(ass)
	if err != nil {
		return err
	}
	defer func() { _ = script.Close() }()
	if out, err = filepath.Abs(out); err != nil {
		return fmt.Errorf("write %s: %w", out, err)
	}
	return d.burn(ctx, src, about, script, out, progress)
}

// hasAssFilter says clearly when ffmpeg cannot draw scripts.
func (d *Decoder) hasAssFilter(ctx context.Context) error {
	out, err := output(ctx, d.ffmpeg, "-hide_banner", "-filters")
	if err != nil {
		return fail(Unavailable, err, "ffmpeg (%s) cannot be run.", d.ffmpeg)
	}
	for line := range bytes.Lines(out) {
		if f := bytes.Fields(line); len(f) > 1 && string(f[1]) == "ass" {
			return nil
		}
	}
	return fail(Unavailable, nil, "This ffmpeg (%s) has no ass filter. Install one that was built with libass.", d.ffmpeg)
}

// overlayed is what is known of the input.
type overlayed struct {
	stream   int32
	size     wire.Geometry
	audio    string // codec of the first sound stream; empty for none
	duration time.Duration
}

func (d *Decoder) probeOverlay(ctx context.Context, in *input) (*overlayed, error) {
	const descriptionBytes = 1 << 20
	data, err := d.probe(ctx, in, descriptionBytes, "-show_streams", "-show_format", "-of", "json")
	if err != nil {
		return nil, err
	}
	var p probed
	if err = json.Unmarshal(data, &p); err != nil {
		return nil, fail(Invalid, err, "ffprobe cannot describe the video.")
	}
	s, err := p.choose()
	if in.track >= 0 {
		s, err = p.track(in.track)
	}
	if err != nil {
		return nil, err
	}
	if s.geometry().Check(d.cfg.Limits.MaxPixels) != nil {
		return nil, failureError(&wire.Failure{Reason: wire.ReasonPixels})
	}
	o := &overlayed{stream: s.Index, size: s.geometry(), duration: d.cfg.Limits.MaxDuration}
	if seconds, err := strconv.ParseFloat(p.Format.Duration, 64); err == nil && seconds > 0 && seconds < o.duration.Seconds() {
		o.duration = time.Duration(seconds * float64(time.Second))
	}
	for i := range p.Streams {
		if p.Streams[i].Type == "audio" {
			o.audio = p.Streams[i].Codec
			break
		}
	}
	return o, nil
}

// scriptFile puts a script where a process without a file system can read it.
func scriptFile(ass []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("script", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, systemError(os.NewSyscallError("memfd_create", err), fail(Unavailable, nil, "There is no memory for the subtitles."))
	}
	f := os.NewFile(uintptr(fd), "script")
	if _, err := f.Write(ass); err != nil {
		return nil, errors.Join(fmt.Errorf("write script: %w", err), f.Close())
	}
	return f, nil
}

func (d *Decoder) burn(ctx context.Context, in *input, about *overlayed, script *os.File, out string, progress func(time.Duration)) error {
	said := new(tail)
	t, err := d.startTool(toolRun{
		order: stageOrder{
			Limits: sandbox.Limits{
				Memory: overlayMemory, CPUSeconds: d.cfg.Limits.cpuSeconds(about.duration),
				FileSize: uint64(max(in.size, overlayFloor)) * overlayGrowth,
			},
			Program: d.ffmpeg, Args: d.overlayArgs(in, about, out), Read: []string{inputPath}, Write: []string{out},
		},
		files: []*os.File{in.file, script}, stdout: &progressLines{tell: progress}, stderr: said,
	})
	if err != nil {
		return err
	}
	if err = t.wait(ctx, d.cfg.Limits.wall(about.duration)); err != nil {
		return err
	}
	if err = t.ended(said.lastLine()); err != nil {
		return err
	}
	st, err := os.Stat(out)
	if err != nil || st.Size() == 0 {
		return fail(Crashed, err, "ffmpeg wrote nothing.")
	}
	return nil
}

func even(n int32) int32 { return n + n%2 }

// holdable are the sound codecs that MP4 holds and players expect in it.
func holdable() []string { return []string{"aac", "mp3", "ac3", "eac3", "alac", "opus"} }

func (d *Decoder) overlayArgs(in *input, about *overlayed, out string) []string {
	args := []string{"-v", "error", "-hide_banner", "-nostats", "-nostdin", "-y", "-progress", "pipe:1", "-copyts"}
	if in.container != wire.MP4 && in.container != wire.AVI {
		args = append(args, "-start_at_zero") // its clock starts anywhere; ours at the container's start
	}
	args = append(args, d.inputArgs(in.container, in.base)...)
	args = append(args, "-map", fmt.Sprintf("0:%d", about.stream), "-map", "0:a:0?", "-sn", "-dn",
		// Square pixels first, so that boxes and letters are drawn as they will be seen; even sizes for 4:2:0.
		"-vf", fmt.Sprintf("scale=%d:%d,setsar=1,ass=filename=%s", even(about.size.Width), even(about.size.Height), scriptPath),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p",
		"-fps_mode", "passthrough", "-enc_time_base", "-1")
	if slices.Contains(holdable(), about.audio) {
		args = append(args, "-c:a", "copy")
	} else {
		args = append(args, "-c:a", "aac", "-b:a", "160k")
	}
	return append(args, "-max_muxing_queue_size", "4096", "-movflags", "+faststart", "-metadata", "comment="+OverlayComment,
		"-f", "mp4", "file:"+out)
}

// progressLines reads what ffmpeg's -progress writes: key=value lines.
type progressLines struct {
	tell func(time.Duration)
	mu   sync.Mutex
	part string
}

// Write takes the output in pieces.
func (p *progressLines) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.part += string(b)
	for {
		line, rest, ok := strings.Cut(p.part, "\n")
		if !ok {
			break
		}
		p.part = rest
		value, ok := strings.CutPrefix(line, "out_time_us=")
		if us, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); ok && err == nil && us >= 0 && p.tell != nil {
			p.tell(time.Duration(us) * time.Microsecond)
		}
	}
	const longest = 4 << 10
	if len(p.part) > longest {
		p.part = ""
	}
	return len(b), nil
}
