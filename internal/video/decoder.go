package video

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec" //nolint:depguard // this room is the one that runs decoders
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// Names of the programs that are looked for.
const (
	helperName = "spotter-decode"
	ffmpegName = "ffmpeg"
	probeName  = "ffprobe"
)

// Decoder plans and opens videos. It holds no process and no file, and is safe for concurrent use.
type Decoder struct {
	cfg Config
	// Paths of the programs; empty for those that are not there.
	helper, ffmpeg, ffprobe, self string
	now                           func() time.Time
	fetch                         Fetch
}

// Fetch waits until the bytes from..to of a file are there, and says up to where all after from are.
type Fetch func(ctx context.Context, from, to int64) (end int64, err error)

// Fetching is a decoder for one file of which parts are missing: it calls fetch for whatever it is going to read, and gives its error.
// The time that this takes is not part of what decoding may take.
func (d *Decoder) Fetching(fetch Fetch) *Decoder {
	other := *d
	other.fetch = func(ctx context.Context, from, to int64) (int64, error) {
		end, err := fetch(ctx, from, to)
		if errors.Is(err, io.EOF) {
			err = hungUpError{err}
		}
		return end, err
	}
	return &other
}

// hungUpError is the error of a fetch that is about the end of something else than frames, as of a connection: it is not to be taken for
// theirs, which is [io.EOF]. In all else it is the error that it hides.
type hungUpError struct{ cause error }

func (e hungUpError) Error() string        { return e.cause.Error() }
func (e hungUpError) Is(target error) bool { return target != io.EOF && errors.Is(e.cause, target) }
func (e hungUpError) As(target any) bool   { return errors.As(e.cause, target) }

// New is a decoder. Programs named in the configuration must exist; others are looked for, and what is missing is told
// when it is needed, and by [Decoder.Check].
func New(cfg Config) (*Decoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the running program: %w", err)
	}
	d := &Decoder{cfg: cfg, self: self, now: time.Now} //nolint:forbidigo // bounds waiting; no result depends on it
	if d.helper, err = find(cfg.Helper, helperName, self); err != nil {
		return nil, err
	}
	if d.ffmpeg, err = find(cfg.FFmpeg, ffmpegName, self); err != nil {
		return nil, err
	}
	if d.ffmpeg != "" {
		beside := filepath.Join(filepath.Dir(d.ffmpeg), probeName)
		if d.ffprobe, err = find("", probeName, beside); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// find is a program's path: the one named, else beside another program, else in PATH, else "".
func find(named, name, beside string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fail(Unavailable, err, "The program %s named in the settings cannot be run.", named)
		}
		return filepath.Abs(path)
	}
	if path := filepath.Join(filepath.Dir(beside), name); executable(path) {
		return path, nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", nil //nolint:nilerr // it is not there: told when it is needed
	}
	return filepath.Abs(path)
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}

// input is a video file, opened anew read-only, so that the child cannot write and the caller's offset does not matter.
type input struct {
	file      *os.File
	size      int64
	container wire.Container
	track     int32 // the stream to plan; below 0 the file decides
	base      int64 // where the container begins
	rawRate   int32 // frames per second of a raw stream, in thousandths
	fetch     Fetch // nil where all is there
}

// reader reads the file for this program itself. What could not be fetched is in its err, whatever its caller makes of it.
func (in *input) reader(ctx context.Context) *fetchingReader {
	return &fetchingReader{ctx: ctx, in: in}
}

type fetchingReader struct {
	ctx context.Context //nolint:containedctx // io.ReaderAt knows none
	in  *input
	err error
}

// ReadAt implements [io.ReaderAt].
func (r *fetchingReader) ReadAt(b []byte, at int64) (int, error) {
	if end := min(at+int64(len(b)), r.in.size); r.in.fetch != nil && r.err == nil && at < end {
		_, r.err = r.in.fetch(r.ctx, at, end)
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.in.file.ReadAt(b, at)
}

// whole fetches all of a file, for who reads it without asking.
func (in *input) whole(ctx context.Context) error {
	if in.fetch == nil || in.size == 0 {
		return nil
	}
	_, err := in.fetch(ctx, 0, in.size)
	return err
}

func (d *Decoder) input(ctx context.Context, f *os.File) (*input, error) {
	in, err := d.reopen(f)
	if err != nil {
		return nil, err
	}
	r := in.reader(ctx)
	c, base, sniffed := sniff(r)
	if sniffed == nil {
		sniffed = d.cfg.admits(c)
	}
	if r.err != nil || sniffed != nil {
		_ = in.file.Close()
	}
	if r.err != nil {
		return nil, r.err
	}
	if sniffed != nil {
		return nil, sniffed
	}
	in.container, in.base, in.rawRate = c, base, int32(math.Round(d.cfg.RawRate*1000))
	return in, nil
}

func (d *Decoder) reopen(f *os.File) (*input, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fail(Invalid, err, "The file cannot be read.")
	}
	if !st.Mode().IsRegular() {
		return nil, fail(Invalid, nil, "%s is not a regular file: a video must be a file on a disk, not a folder, pipe or device.",
			filepath.Base(f.Name()))
	}
	if st.Size() > d.cfg.Limits.MaxBytes {
		return nil, fail(TooLarge, nil, "The file has %d MB; the limit is %d MB. Raise the limit, or cut the video.",
			st.Size()>>20, d.cfg.Limits.MaxBytes>>20)
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, systemError(os.NewSyscallError("open", err), fail(Invalid, nil, "The file cannot be read."))
	}
	return &input{file: os.NewFile(uintptr(fd), f.Name()), size: st.Size(), fetch: d.fetch}, nil
}

// request is the part of a request that every task has.
func (d *Decoder) request(t wire.Task, c wire.Container, cpuSeconds uint64, pixels int64, deep bool) *wire.Request {
	l := &d.cfg.Limits
	return &wire.Request{
		Task: t, Container: c, Strict: d.cfg.Sandbox == SandboxStrict,
		Memory: l.memory(pixels, deep), CPUSeconds: cpuSeconds, MaxPixels: l.MaxPixels,
		GOPPackets: int32(l.GOPPackets), GOPBytes: l.GOPBytes, //nolint:gosec // G115: validated
		MaxTime: int64(l.MaxDuration), Lazy: d.fetch != nil,
	}
}

// start starts a child on a request and waits until its sandbox stands.
func (d *Decoder) start(ctx context.Context, r *wire.Request, in *input, ring *os.File, stretch time.Duration) (*child, *wire.Ready, error) {
	c, err := startChild(d.helper, in.file, ring)
	if err != nil {
		return nil, nil, systemError(err, fail(Unavailable, nil, "The decoder %s could not be started. Run: spotter doctor.", d.helper))
	}
	c.now, c.wall = d.now, d.cfg.Limits.wall(stretch)
	c.fetch, c.size = in.fetch, in.size
	c.cpu = time.Duration(r.CPUSeconds) * time.Second //nolint:gosec // G115: seconds of a video
	if err = c.send(ctx, r); err != nil {
		c.close()
		return nil, nil, err
	}
	ready, err := c.awaitReady(ctx)
	if err != nil {
		c.close()
		return nil, nil, err
	}
	if d.cfg.Sandbox == SandboxStrict && (ready.Landlock <= 0 || !ready.Seccomp || !ready.Limits) {
		return nil, nil, c.lied(errors.New("sandbox is not in force"))
	}
	return c, ready, nil
}

// mayFallBack says whether the ffmpeg command line should be tried after the helper failed: only where the helper itself
// cannot run, never because of a file or a sandbox.
func (d *Decoder) mayFallBack(err error) bool {
	var e *Error
	return d.ffmpeg != "" && d.ffprobe != "" && errors.As(err, &e) && e.Kind == Unavailable && !e.sandbox
}

// The builds of decoders. Each chooses frames, and makes them, in a way of its own: the number is raised with every change of that.
const (
	helperBuild = "libav-1"
	toolBuild   = "ffmpeg-1"
)

// Only is a decoder that works as one of [Health]'s Builds, and fails where that one cannot: the others choose other frames.
func (d *Decoder) Only(build string) *Decoder {
	other := *d
	if build == helperBuild {
		other.ffmpeg, other.ffprobe = "", ""
	} else {
		other.helper = ""
	}
	return &other
}

// withoutHelper is the decoder as it would be if the helper, which does not run, were not there.
func (d *Decoder) withoutHelper() *Decoder {
	other := *d
	other.helper = ""
	return &other
}

// explain makes the reason for an unreadable file more exact by looking at the file.
func explain(ctx context.Context, err error, in *input) error {
	var e *Error
	if !errors.As(err, &e) || e.Kind != Invalid || in.container != wire.MP4 {
		return err
	}
	r := in.reader(ctx)
	b := readBoxes(r, in.size)
	if r.err != nil {
		return r.err
	}
	switch {
	case !b.moov && b.mdat:
		e.Reason = "The MP4 file has no index (moov): it is incomplete, as after a broken upload or a recording that was not " +
			"ended properly. Upload it again, or repair it from an intact recording of the same camera."
	case !b.moov && b.cut:
		e.Reason = "The MP4 file is cut off before its index (moov): the upload or the copy is incomplete. Provide it again."
	case !b.moov:
		e.Reason = "The MP4 file has a header and nothing else: the recording or the upload ended at once. Provide it again."
	case b.cut:
		e.Reason = "The MP4 file is cut off, and what is left cannot be decoded: the upload or the copy is incomplete. Provide it again."
	}
	return err
}
