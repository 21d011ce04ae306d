package video

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec" //nolint:depguard // this room is the one that runs decoders
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// decoders is the list of libav's decoders that ffmpeg may use: the helper's own list.
const decoders = "h264,hevc,vp8,vp9,libdav1d,libaom-av1,mpeg1video,mpeg2video,mpeg4,mjpeg,prores,dnxhd,wmv1,wmv2,wmv3,vc1,flv,vp6f"

// inputPath is the inherited descriptor by a name that ffmpeg can open.
const inputPath = "/proc/self/fd/3"

// inputArgs make ffmpeg or ffprobe read the inherited descriptor, with one demuxer and nothing else. More options for
// the input come before these.
func (d *Decoder) inputArgs(c wire.Container, base int64) []string {
	name := c.Demuxer()
	return []string{
		"-skip_initial_bytes", strconv.FormatInt(base, 10),
		"-protocol_whitelist", "file", "-f", name, "-format_whitelist", name,
		"-max_pixels", strconv.FormatInt(d.cfg.Limits.MaxPixels, 10), "-i", "file:" + inputPath,
	}
}

// tool is a running ffmpeg or ffprobe.
type tool struct {
	cmd    *exec.Cmd
	exited chan struct{}
	cpu    time.Duration // RLIMIT_CPU, to tell its kill from others
	once   sync.Once
}

// toolRun says how to run one.
type toolRun struct {
	order  stageOrder
	files  []*os.File // descriptors from 3 on
	stdout io.Writer  // written to by a goroutine of the process, or an *os.File
	stderr io.Writer
}

// startTool starts a program through the stage.
func (d *Decoder) startTool(r toolRun) (*tool, error) {
	program, err := filepath.EvalSymlinks(r.order.Program)
	if err != nil {
		return nil, systemError(err, fail(Unavailable, nil, "The program %s cannot be run. Run: spotter doctor.", r.order.Program))
	}
	r.order.Program, r.order.Strict = program, d.cfg.Sandbox == SandboxStrict
	order, err := json.Marshal(r.order)
	if err != nil {
		return nil, fmt.Errorf("write stage order: %w", err)
	}
	stage := d.self
	if d.helper != "" {
		stage = d.helper
	}
	t := &tool{exited: make(chan struct{}), cpu: time.Duration(r.order.Limits.CPUSeconds) * time.Second} //nolint:gosec // G115: seconds
	t.cmd = exec.Command(stage, StageCommand, string(order))                                             //nolint:gosec,noctx // G204: our own program; close kills it
	t.cmd.ExtraFiles = r.files
	t.cmd.Env = append(childEnv(), "AV_LOG_FORCE_NOCOLOR=1")
	t.cmd.Stdout, t.cmd.Stderr = r.stdout, r.stderr
	if err := startAndReap(t.cmd, t.exited); err != nil {
		return nil, systemError(err, fail(Unavailable, nil, "The program %s could not be started.", stage))
	}
	return t, nil
}

// close kills and reaps the process. It may be called more than once.
func (t *tool) close() {
	t.once.Do(func() {
		select {
		case <-t.exited:
		default:
			_ = t.cmd.Process.Kill()
		}
		<-t.exited
	})
}

// wait waits for the process to end by itself, at most so long.
func (t *tool) wait(ctx context.Context, most time.Duration) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	defer t.close()
	select {
	case <-t.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fail(Timeout, nil, "%s took too long and was stopped.", filepath.Base(t.cmd.Path))
	}
}

// ended says what the process's end means; nil if it ended well. said is what it last wrote to standard error.
func (t *tool) ended(said string) error {
	state := t.cmd.ProcessState
	if state.Success() {
		return nil
	}
	var cause error
	if said = withoutAddress(printable(said)); said != "" {
		cause = errors.New(said)
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled() && state.SystemTime()+state.UserTime() >= t.cpu-time.Second:
		return usedUp(cause)
	case status.Signaled() && status.Signal() == syscall.SIGKILL:
		return killed(cause)
	case status.Signaled():
		return faulted(cause, status.Signal().String())
	case status.ExitStatus() == stageFailed:
		e := fail(Unavailable, cause, "The sandbox for ffmpeg could not be put in force. Run: spotter doctor.")
		e.sandbox = true
		return e
	default:
		return fail(Invalid, cause, "ffmpeg cannot read the video: it is damaged or not supported.")
	}
}

// withoutAddress takes the part of ffmpeg that speaks out of a line, "[mov,mp4 @ 0x5581e0]": where that lies in
// memory is another place in every run, and the same file shall have the same answer.
func withoutAddress(line string) string {
	if speaker, rest, ok := strings.Cut(line, "] "); ok && strings.HasPrefix(speaker, "[") && strings.Contains(speaker, " @ 0x") {
		return rest
	}
	return line
}

// run runs a program to its end and returns what it wrote, which must be at most limit bytes.
func (d *Decoder) run(ctx context.Context, r toolRun, limit int, most time.Duration) ([]byte, error) {
	out := &bounded{limit: limit}
	said := new(tail)
	r.stdout, r.stderr = out, said
	t, err := d.startTool(r)
	if err != nil {
		return nil, err
	}
	if err := t.wait(ctx, most); err != nil {
		return nil, err
	}
	if out.over {
		return nil, fail(Invalid, nil, "The video's description is too long to be honest.")
	}
	return out.data, t.ended(said.firstLine())
}

// bounded keeps what is written up to a limit.
type bounded struct {
	limit int
	data  []byte
	over  bool
}

// Write keeps what fits and drops the rest.
func (b *bounded) Write(p []byte) (int, error) {
	if len(b.data)+len(p) > b.limit {
		b.over = true
		return len(p), nil
	}
	b.data = append(b.data, p...)
	return len(p), nil
}
