package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// State is how something fares.
type State string

// The states of a [Check].
const (
	OK      State = "ok"
	Warning State = "warning" // a search runs, but not at its best
	Problem State = "problem" // no search can run
)

// Check is one thing looked at.
type Check struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Found is what is in force, or what is wrong.
	Found string `json:"found"`
	// Mend says what to do; empty where nothing is to be done.
	Mend string `json:"mend,omitempty"`
}

// Checkup is everything that a search needs, looked at.
type Checkup struct {
	// Ready says that a search can run.
	Ready  bool    `json:"ready"`
	Checks []Check `json:"checks"`
}

// Err is nil where a search can run.
func (c Checkup) Err() error {
	if c.Ready {
		return nil
	}
	return &fault.EnvironmentError{Err: errors.New("a search cannot run; see the problems above")}
}

// Doctor looks at what a search needs.
func Doctor(ctx context.Context, c config.Config) Checkup {
	checks := decoderChecks(ctx, c)
	checks = append(checks, recognizerChecks(ctx, c)...)
	checks = append(checks, checkProcessor(c))
	checks = append(checks, systemChecks(engine.Workers(c))...)
	up := Checkup{Ready: true, Checks: checks}
	for _, check := range checks {
		up.Ready = up.Ready && check.State != Problem
	}
	return up
}

// decoderChecks looks at the decoder and at how well it is confined. What is missing is a problem only where nothing can
// stand in for it.
func decoderChecks(ctx context.Context, c config.Config) []Check {
	decoder, err := engine.OpenDecoder(c)
	if err != nil {
		return []Check{problem("decoder", err)}
	}
	health := decoder.Check(ctx)
	checks := []Check{{Name: "decoder", State: OK, Found: "videos can be decoded"}, kindsCheck(c)}
	if !health.Usable {
		checks[0] = Check{"decoder", Problem, "videos cannot be decoded", "Mend what is missing below."}
	}
	for _, item := range health.Items {
		check := Check{Name: item.Name, State: OK, Found: item.Detail, Mend: item.Mend}
		if !item.OK || item.Mend != "" {
			check.State = Warning
		}
		checks = append(checks, check)
	}
	return checks
}

// kindsCheck says which files are let in.
func kindsCheck(c config.Config) Check {
	check := Check{Name: "kinds of videos", State: OK, Found: string(c.VideoKinds) + " (video-kinds)"}
	switch {
	case !slices.Contains(strings.Split(string(c.VideoKinds), ","), "raw"):
	case c.RawRate > 0:
		check.Found += fmt.Sprintf("; bare streams at %v frames a second (raw-rate)", c.RawRate)
	default:
		check.Found += "; bare streams only once raw-rate says their frames a second"
	}
	return check
}

// recognizerChecks loads the models and runs them once.
func recognizerChecks(ctx context.Context, c config.Config) []Check {
	checks := []Check{}
	r, err := engine.OpenRuntime(c)
	if err != nil {
		checks = append(checks, problem("onnxruntime", err))
	} else {
		defer r.Close() //nolint:errcheck // nothing was written
		checks = append(checks, Check{"onnxruntime", OK, fmt.Sprintf("%s (%s)", r.Version(), r.Path()), ""})
	}
	pack, packErr := engine.OpenPack(c)
	if packErr != nil {
		return append(checks, problem("models", packErr))
	}
	models := Check{"models", OK, fmt.Sprintf("%s in %s, every file is the one that the manifest names", pack.Model(), pack.Dir()), ""}
	if err == nil {
		if err := tryModels(ctx, r, pack); err != nil {
			models.State, models.Found = Problem, fmt.Sprintf("%s in %s do not run: %v", pack.Model(), pack.Dir(), err)
			models.Mend = "Build the pack anew with 'spotter models build'; a pack of your own may not suit this onnxruntime."
		}
	}
	return append(checks, models, similarityCheck(pack.Manifest().Calibration))
}

// similarityCheck says what the usual threshold means with this model pack, and for whom it means less.
func similarityCheck(c *recognizer.CalibrationSpec) Check {
	check := Check{Name: "similarity", State: OK, Found: "how often strangers reach a similarity is not said by this model pack"}
	for _, p := range c.Points {
		if p.Similarity == float64(engine.UsualThreshold) && p.Rate > 0 {
			check.Found = fmt.Sprintf("one in %.0f pairs of strangers reaches %.4g %%", 1/p.Rate, p.Similarity)
		}
	}
	if c.Groups == nil {
		return check
	}
	column := slices.Index(c.Groups.Similarities, float64(engine.UsualThreshold))
	if column < 0 {
		return check
	}
	worst := slices.MaxFunc(c.Groups.Rows, func(a, b recognizer.GroupSpec) int { return cmp.Compare(a.Rates[column], b.Rates[column]) })
	if rate := worst.Rates[column]; rate > 0 {
		check.Found += fmt.Sprintf(", but one in %.0f among %s; 'spotter models show' has the table", 1/rate, worst.Name)
	}
	return check
}

// tryModels looks for faces in a grey picture.
func tryModels(ctx context.Context, r *recognizer.Runtime, pack *recognizer.Pack) (err error) {
	rec, err := r.New(pack, recognizer.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rec.Close()) }()
	const side = 128
	grey := face.Picture{
		Width: side, Height: side, Layout: face.RGB, Strides: [3]int{3 * side},
		Planes: [3][]byte{[]byte(strings.Repeat("\x80", 3*side*side))},
	}
	_, err = rec.Faces(ctx, &grey)
	return err
}

// checkProcessor says how many cores work, and which code compares faces.
func checkProcessor(c config.Config) Check {
	check := Check{Name: "processor", State: OK}
	cores := plural(runtime.GOMAXPROCS(0), "core")
	kernel := "unknown"
	if g, err := gallery.New(1); err == nil {
		kernel = g.Kernel()
		_ = g.Close() // it is nil
	}
	check.Found = fmt.Sprintf("%s/%s, %s, %s; faces are compared by %s", runtime.GOOS, runtime.GOARCH, cores,
		plural(engine.Workers(c), "worker"), kernel)
	if engine.Workers(c) > runtime.GOMAXPROCS(0) {
		check.State = Warning
		check.Mend = "More workers than cores are slower, not faster; leave --workers at 0."
	}
	return check
}

// problem makes a check of an error, with its mend where it has one.
func problem(name string, err error) Check {
	c := Check{Name: name, State: Problem, Found: err.Error()}
	if environment := (*fault.EnvironmentError)(nil); errors.As(err, &environment) {
		c.Found, c.Mend = environment.Err.Error(), environment.Mend
	}
	return c
}

// checkDisk says how much room there is where results are usually written.
func checkDisk(name, folder string, free func(string) (uint64, error)) Check {
	bytes, err := free(folder)
	if err != nil {
		return Check{name, Warning, fmt.Sprintf("free space in %s is not known: %v", folder, err), ""}
	}
	c := Check{name, OK, fmt.Sprintf("%.1f GB free in %s", float64(bytes)/1e9, folder), ""}
	if bytes < 1e9 { // an annotated video of some minutes
		c.State, c.Mend = Warning, "Reports are small, but annotated videos need room: make some, or write them elsewhere."
	}
	return c
}

func workingFolder() string {
	if folder, err := os.Getwd(); err == nil {
		return folder
	}
	return "."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
