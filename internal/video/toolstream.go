package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/video/sampling"
	"github.com/spotter-video/spotter/internal/video/sandbox"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// toolSource is a segment being decoded by ffmpeg: pictures come through a pipe, their times through what the showinfo
// filter writes to standard error, in the same order.
type toolSource struct {
	tool    *tool
	out     *os.File
	times   *showinfo
	clock   wire.Clock
	to      int64 // ticks; a frame from there on ends the segment
	grid    sampling.Grid
	chosen  int64 // ticks of the last frame
	last    time.Duration
	count   int64
	pixels  int64  // the most that a picture may have
	space   string // ffprobe's name of the colour matrix
	data    []byte
	frame   face.Frame
	wall    time.Duration // what is left of the time for waiting
	now     func() time.Time
	closing sync.Once
}

// seekMargin is how far before a segment ffmpeg starts reading. It lands on a keyframe before; the filter drops what is
// too early, and an inexact seek does no harm.
const seekMargin = 2 * time.Second

func (d *Decoder) openTool(ctx context.Context, in *input, plan *Plan, seg *Segment, o StreamOptions) (frameSource, error) {
	if d.ffmpeg == "" {
		return nil, fail(Unavailable, nil, "There is no decoder: neither %s nor %s was found beside this program or in PATH. "+
			"Build spotter-decode, or install ffmpeg.", helperName, ffmpegName)
	}
	if err := in.whole(ctx); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, systemError(err, fail(Unavailable, nil, "There is no pipe to ffmpeg."))
	}
	defer func() { _ = write.Close() }()
	t := &plan.Track
	stretch := seg.To - seg.From
	src := &toolSource{
		out: read, times: newShowinfo(), clock: t.Clock, to: seg.Place.To, last: -1, now: d.now, wall: d.cfg.Limits.wall(stretch),
		pixels: d.cfg.Limits.MaxPixels, space: t.Space,
		grid: sampling.NewGrid(t.Clock.First, t.Clock.Num, t.Clock.Den, o.SampleRate),
	}
	pixels := int64(t.Geometry.Width) * int64(t.Geometry.Height)
	src.tool, err = d.startTool(toolRun{
		order: stageOrder{
			Limits:  sandbox.Limits{Memory: d.cfg.Limits.memory(pixels, t.Deep), CPUSeconds: d.cfg.Limits.decodeSeconds(plan, stretch)},
			Program: d.ffmpeg, Args: d.streamArgs(t, seg, o.SampleRate), Read: []string{inputPath},
		},
		files: []*os.File{in.file}, stdout: write, stderr: src.times,
	})
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	return src, nil
}

// streamArgs is the command line that writes the sampled frames of a segment, and every frame after it, by which the
// end is seen.
func (d *Decoder) streamArgs(t *Track, seg *Segment, rate float64) []string {
	args := []string{"-v", "info", "-hide_banner", "-nostats", "-nostdin", "-threads", "1", "-copyts"}
	if seg.Place.From != wire.Beginning {
		at := time.Duration(sampling.Nanoseconds(seg.Place.From, t.Clock.Num, t.Clock.Den)) - seekMargin
		args = append(args, "-noaccurate_seek", "-seek_timestamp", "1", "-ss", fmt.Sprintf("%dus", at.Microseconds()))
	}
	args = append(args, "-codec_whitelist", decoders) // ffprobe cannot be held to it: it opens every stream
	args = append(args, d.inputArgs(t.Container, t.Base)...)
	chain := []string{"select='" + selection(t, seg, rate) + "'"}
	if t.Interlaced {
		chain = append(chain, "yadif=deint=interlaced")
	}
	// Square pixels as wire.Square has them. Where the pictures' size changes, ffmpeg sets the filters up anew.
	chain = append(chain, "scale=w='if(between(sar,1.01,4),round(iw*sar),iw)':h='if(between(sar,0.25,0.99),round(ih/sar),ih)'"+
		":flags=bilinear:out_range=tv", "format=yuv420p", "showinfo=checksum=0")
	return append(args, "-map", fmt.Sprintf("0:%d", t.Stream), "-an", "-sn", "-dn", "-vf", strings.Join(chain, ","),
		"-autoscale", "0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1")
}

// selection is ffmpeg's expression for the frames wanted: the first at or after each grid point.
func selection(t *Track, seg *Segment, rate float64) string {
	wanted := "1"
	if g := sampling.NewGrid(t.Clock.First, t.Clock.Num, t.Clock.Den, rate); !g.All() {
		// A tick is the least distance of two times, so a thousandth of one is rounding.
		point := func(at string) string {
			return fmt.Sprintf(`floor((%s-(%d)+0.001)/%s)`, at, g.First, strconv.FormatFloat(g.Step, 'f', -1, 64))
		}
		wanted = fmt.Sprintf(`(isnan(prev_selected_pts)+gt(%s\,%s))`, point("pts"), point("prev_selected_pts"))
	}
	if seg.Place.From != wire.Beginning {
		wanted += fmt.Sprintf(`*gte(pts\,%d)`, seg.Place.From)
	}
	if seg.Place.To != wire.End {
		wanted += fmt.Sprintf(`+gte(pts\,%d)`, seg.Place.To)
	}
	return strings.ReplaceAll(wanted, `\,`, ",")
}

// allocate makes room for a frame, full and small, where the one before had another size.
func (s *toolSource) allocate(g wire.Geometry) {
	if s.frame.Full.Width == int(g.Width) && s.frame.Full.Height == int(g.Height) {
		return
	}
	w, h := int(g.Width), int(g.Height)
	cw, ch := (w+1)/2, (h+1)/2
	s.data = make([]byte, w*h+2*cw*ch)
	p := face.Picture{Width: w, Height: h, Layout: face.I420, Matrix: matrixOf(s.space, h)}
	p.Planes = [3][]byte{s.data[:w*h], s.data[w*h : w*h+cw*ch], s.data[w*h+cw*ch:]}
	p.Strides = [3]int{w, cw, cw}
	s.frame.Full, s.frame.Small = p, p
	if g.HasSmall() {
		sw, sh := g.Small()
		s.frame.Small = newPicture(int(sw), int(sh), p.Matrix)
	}
}

func matrixOf(space string, height int) face.ColorMatrix {
	switch {
	case space == "bt709":
		return face.BT709
	case strings.HasPrefix(space, "bt2020"):
		return face.BT2020
	case space == "bt470bg", space == "smpte170m", space == "fcc", height < 720:
		return face.BT601
	default:
		return face.BT709
	}
}

func (s *toolSource) next(ctx context.Context) (*face.Frame, error) {
	begin := s.now()
	limit, cancel := context.WithTimeout(ctx, s.wall)
	defer cancel()
	stop := context.AfterFunc(limit, func() { _ = s.out.SetReadDeadline(past) })
	told, err := s.times.next(limit, s.tool.exited)
	if err == nil {
		err = s.read(told)
	}
	stop()
	s.wall -= s.now().Sub(begin)
	switch {
	case err == nil:
		return s.timed(ctx, told)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limit.Err() != nil:
		s.tool.close()
		return nil, fail(Timeout, nil, "Decoding took too long and was stopped: the file may be made to waste time, or the "+
			"machine is overloaded.")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, s.end(ctx)
	default:
		s.tool.close()
		return nil, err
	}
}

// read takes a frame's samples off the pipe.
func (s *toolSource) read(told shown) error {
	g := wire.Geometry{Width: told.width, Height: told.height}
	if g.Check(s.pixels) != nil {
		return failureError(&wire.Failure{Reason: wire.ReasonPixels})
	}
	s.allocate(g)
	_, err := io.ReadFull(s.out, s.data)
	return err
}

// timed gives the frame that was read its time.
func (s *toolSource) timed(ctx context.Context, told shown) (*face.Frame, error) {
	if told.pts >= s.to {
		s.tool.close()
		return nil, io.EOF
	}
	at := time.Duration(sampling.Sub(sampling.Nanoseconds(told.pts, s.clock.Num, s.clock.Den), s.clock.Origin))
	// Where the filters are set up anew they forget which frame they chose last.
	again := s.last >= 0 && !s.grid.All() && s.grid.Index(told.pts) == s.grid.Index(s.chosen)
	if at <= s.last || again {
		return s.next(ctx)
	}
	s.last, s.chosen = at, told.pts
	s.count++
	s.frame.Time = at
	if s.frame.Small.Width != s.frame.Full.Width {
		shrink(&s.frame.Full, &s.frame.Small)
	}
	return &s.frame, nil
}

// end is why there are no more pictures.
func (s *toolSource) end(ctx context.Context) error {
	const grace = 10 * time.Second // it has closed its output; only exiting is left
	if err := s.tool.wait(ctx, grace); err != nil {
		return err
	}
	if err := s.tool.ended(s.times.said()); err != nil && s.count == 0 {
		return err
	}
	return io.EOF
}

func (s *toolSource) finish() Stats {
	state := s.tool.cmd.ProcessState
	stats := Stats{Decoded: s.count, CPU: state.UserTime() + state.SystemTime()}
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		const kilobyte = 1024 // the unit of ru_maxrss on Linux
		stats.PeakRSS = r.Maxrss * kilobyte
	}
	return stats
}

func (s *toolSource) close() error {
	var err error
	s.closing.Do(func() {
		s.tool.close()
		err = s.out.Close()
	})
	return err
}

// shown is what showinfo tells of a frame.
type shown struct {
	pts           int64
	width, height int32
}

// showinfo reads frame times and sizes out of what ffmpeg writes to standard error. A line counts only if it begins as the filter
// begins its lines and numbers frames without a gap: titles and other text of the file are in there as well, but always
// indented.
type showinfo struct {
	mu    sync.Mutex
	part  []byte
	times chan shown
	want  int64
	bad   error
	other tail
}

// pendingTimes is how many frames ffmpeg may be ahead with times: far more than it holds between filter and pipe.
const pendingTimes = 1024

func newShowinfo() *showinfo { return &showinfo{times: make(chan shown, pendingTimes)} }

// Write takes ffmpeg's output in pieces.
func (s *showinfo) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part = append(s.part, b...)
	for {
		line, rest, ok := strings.Cut(string(s.part), "\n")
		if !ok {
			break
		}
		s.part = append(s.part[:0], rest...)
		s.line(line)
	}
	const longest = 64 << 10
	if len(s.part) > longest {
		s.part = s.part[:0]
	}
	return len(b), nil
}

func (s *showinfo) line(line string) {
	n, told, ok := parseShowinfo(line)
	if !ok {
		if !strings.HasPrefix(line, "[Parsed_") {
			_, _ = s.other.Write([]byte(line + "\n"))
		}
		return
	}
	if n == 0 {
		s.want = 0 // the size of the pictures changed, and ffmpeg set the filter up anew
	}
	if n != s.want {
		s.bad = fail(Crashed, nil, "ffmpeg told frame times out of order (%d, want %d).", n, s.want)
		return
	}
	s.want++
	select {
	case s.times <- told:
	default:
		s.bad = fail(Crashed, nil, "ffmpeg told far more frame times than it gave frames.")
	}
}

// parseShowinfo reads "[Parsed_showinfo_3 @ 0x55...] n:   0 pts:  12345 pts_time:... s:640x360 ..."; ok is false for
// other lines.
func parseShowinfo(line string) (n int64, told shown, ok bool) {
	rest, ok := strings.CutPrefix(line, "[Parsed_showinfo_")
	if !ok {
		return 0, shown{}, false
	}
	_, rest, ok = strings.Cut(rest, "] n:")
	if !ok {
		return 0, shown{}, false
	}
	number, rest, ok := strings.Cut(rest, " pts:")
	if !ok {
		return 0, shown{}, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	fields := strings.Fields(rest)
	if err != nil || len(fields) == 0 {
		return 0, shown{}, false
	}
	if told.pts, err = strconv.ParseInt(fields[0], 10, 64); err != nil {
		return 0, shown{}, false
	}
	for _, f := range fields {
		if size, ok := strings.CutPrefix(f, "s:"); ok {
			told.width, told.height, ok = parseSize(size)
			return n, told, ok
		}
	}
	return 0, shown{}, false
}

// parseSize reads "640x360".
func parseSize(size string) (width, height int32, ok bool) {
	a, b, _ := strings.Cut(size, "x")
	w, err1 := strconv.ParseInt(a, 10, 32)
	h, err2 := strconv.ParseInt(b, 10, 32)
	return int32(w), int32(h), err1 == nil && err2 == nil
}

// next is the time and the size of the next frame; io.EOF after the last one.
func (s *showinfo) next(ctx context.Context, exited <-chan struct{}) (shown, error) {
	s.mu.Lock()
	bad := s.bad
	s.mu.Unlock()
	if bad != nil {
		return shown{}, bad
	}
	select {
	case t := <-s.times:
		return t, nil
	case <-ctx.Done():
		return shown{}, ctx.Err()
	case <-exited: // everything it wrote has been read
		select {
		case t := <-s.times:
			return t, nil
		default:
			return shown{}, io.EOF
		}
	}
}

// said is what ffmpeg complained about, in one line.
func (s *showinfo) said() string {
	return s.other.lastLine()
}
