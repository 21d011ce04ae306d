package video

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec" //nolint:depguard // this room is the one that runs decoders
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/video/sandbox"
)

// SelfTest is what spotter-decode's self-test prints: which parts of the sandbox are in force, and what happened when it
// tried what they must forbid.
type SelfTest struct {
	Versions string
	Landlock int // ABI in force; 0 for none
	Seccomp  bool
	Limits   bool
	Problems []string
	Attempts []Attempt
}

// Attempt is one thing that the sandbox must refuse.
type Attempt struct {
	Name    string
	Refused bool
	Error   string
}

// OK says whether everything is in force and everything was refused.
func (t *SelfTest) OK() bool {
	for _, a := range t.Attempts {
		if !a.Refused {
			return false
		}
	}
	return t.Landlock > 0 && t.Seccomp && t.Limits && len(t.Attempts) > 0
}

// Health is what works of the decoder and its sandbox, for a person.
type Health struct {
	// Usable says whether videos can be decoded with the configuration as it is.
	Usable bool
	// Builds are the decoders that work, the one that is used first: see [Decoder.Only].
	Builds []string
	Items  []HealthItem
}

// HealthItem is one thing that was looked at.
type HealthItem struct {
	Name string
	OK   bool
	// Detail is what was found; Mend is what to do about it, empty where nothing is wrong.
	Detail, Mend string
}

// SelfTestCommand is the argument that makes spotter-decode test its sandbox.
const SelfTestCommand = "selftest"

// checkTime bounds each program that Check runs; they take a tenth of a second.
const checkTime = 20 * time.Second

const buildHelper = "Build it: apt install gcc pkg-config libavformat-dev libavcodec-dev libswscale-dev, then " +
	"go build -o bin/spotter-decode ./cmd/spotter-decode."

// Check looks at everything that decoding needs. It runs the helper's self-test, which tries to break out.
func (d *Decoder) Check(ctx context.Context) Health {
	test, helper := d.checkHelper(ctx)
	tool := d.checkTool(ctx)
	if !helper.OK && tool.OK {
		tool.Detail += "; it decodes alone: " + toolLacks
	}
	var h Health
	if helper.OK {
		h.Builds = append(h.Builds, helperBuild)
	}
	if tool.OK {
		h.Builds = append(h.Builds, toolBuild)
	}
	h.Items = append(h.Items, helper, tool)
	h.Items = append(h.Items, sandboxItems(test)...)
	full := sandbox.Landlock() > 0
	if test != nil {
		full = test.OK()
		h.Items = append(h.Items, escapeItem(test))
	}
	h.Usable = (helper.OK || tool.OK) && (full || d.cfg.Sandbox == SandboxRelaxed)
	level, _ := d.cfg.Sandbox.MarshalText()
	item := HealthItem{Name: "sandbox level", OK: full, Detail: string(level)}
	if !full {
		item.Mend = "A part of the sandbox is missing. Set the level to relaxed only for videos that you trust."
		if d.cfg.Sandbox == SandboxStrict {
			item.Detail += ": nothing will be decoded"
		}
	}
	h.Items = append(h.Items, item)
	return h
}

func (d *Decoder) checkHelper(ctx context.Context) (*SelfTest, HealthItem) {
	item := HealthItem{Name: helperName, Mend: buildHelper}
	if d.helper == "" {
		item.Detail = "not found beside this program or in PATH"
		return nil, item
	}
	out, err := output(ctx, d.helper, SelfTestCommand)
	test := new(SelfTest)
	if jsonErr := json.Unmarshal(out, test); jsonErr != nil {
		item.Detail = fmt.Sprintf("%s does not run: %v", d.helper, errors.Join(err, jsonErr))
		return nil, item
	}
	item.Detail = d.helper + ": " + printable(test.Versions)
	item.OK = strings.HasPrefix(test.Versions, "libavformat ")
	if item.OK {
		item.Mend = ""
	}
	return test, item
}

func (d *Decoder) checkTool(ctx context.Context) HealthItem {
	item := HealthItem{Name: "ffmpeg (fallback, and --annotate)", Mend: "Install it: apt install ffmpeg."}
	if d.ffmpeg == "" || d.ffprobe == "" {
		item.Detail = "ffmpeg and ffprobe were not both found beside this program or in PATH"
		return item
	}
	out, err := output(ctx, d.ffmpeg, "-version")
	if err != nil {
		item.Detail = fmt.Sprintf("%s does not run: %v", d.ffmpeg, err)
		return item
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	item.Detail, item.OK = d.ffmpeg+": "+printable(string(line)), true
	item.Mend = ""
	if err := d.hasAssFilter(ctx); err != nil {
		item.Detail += ", without the ass filter: no annotated videos"
		item.Mend = "Install an ffmpeg that was built with libass."
	}
	return item
}

// sandboxItems tell each part: as the helper found it, or what the kernel offers where there is no helper.
func sandboxItems(t *SelfTest) []HealthItem {
	if t == nil {
		return []HealthItem{landlockItem(sandbox.Landlock())}
	}
	limits := HealthItem{Name: "resource limits", OK: t.Limits, Detail: "memory, CPU, files, threads"}
	if os.Geteuid() == 0 {
		limits.Detail = "memory, CPU, files; the kernel holds root to no number of threads: run as another user, or limit the service's tasks"
	}
	seccomp := HealthItem{Name: "seccomp", OK: t.Seccomp, Detail: "system calls are filtered"}
	if !t.Limits {
		limits.Detail, limits.Mend = "cannot be set", "Raise the hard limits of the account (ulimit -H), or its container's."
	}
	if !t.Seccomp {
		seccomp.Detail = "cannot be used: " + strings.Join(t.Problems, "; ")
		seccomp.Mend = "The kernel needs CONFIG_SECCOMP_FILTER, and a container must not forbid seccomp(2)."
	}
	return []HealthItem{limits, landlockItem(t.Landlock), seccomp}
}

func landlockItem(abi int) HealthItem {
	if abi <= 0 {
		return HealthItem{
			Name: "Landlock", Detail: "not in force",
			Mend: "It needs Linux 5.13 or later with landlock in the kernel's lsm= list, and a container must not forbid it.",
		}
	}
	return HealthItem{Name: "Landlock", OK: true, Detail: fmt.Sprintf("ABI %d in force: files, signals, network", abi)}
}

func escapeItem(t *SelfTest) HealthItem {
	var allowed []string
	for _, a := range t.Attempts {
		if !a.Refused {
			allowed = append(allowed, printable(a.Name))
		}
	}
	if len(allowed) == 0 {
		return HealthItem{Name: "sandbox proof", OK: true, Detail: fmt.Sprintf("%d attempts to break out were refused", len(t.Attempts))}
	}
	return HealthItem{
		Name: "sandbox proof", Detail: "the decoder could: " + strings.Join(allowed, ", "),
		Mend: "See the lines above for the part of the sandbox that is missing.",
	}
}

// output runs one of the programs with an argument that concerns no file, and returns what it wrote.
func output(ctx context.Context, path string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	out := &bounded{limit: 1 << 20}
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // G204: one of the programs that New found
	cmd.Env = childEnv()
	cmd.Stdout, cmd.Stderr = out, io.Discard
	cmd.WaitDelay = time.Second // a child of the program's own may hold the pipe open for longer than it lives
	err := cmd.Run()
	return out.data, err
}
