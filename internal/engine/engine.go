package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
)

// Engine is what faces are looked for with: models loaded once, a recognizer for each worker, a decoder. Close it after what was
// opened with it. Safe for concurrent use.
type Engine struct {
	pipeline

	config      config.Config
	runtime     *recognizer.Runtime
	recognizers *pool
	photos      *photo.Memory // of all photos that are looked at
	trace       *timeline

	mu     sync.Mutex
	others []*pool // of those who do not wait for the workers; guarded by mu
}

// New loads what the settings name. trace, if set, is told of each piece of the work of [Engine.Enrol] and of a [Video] when it is
// done, and of loading, by the clock now: one at a time, by several goroutines. Errors are [*fault.EnvironmentError].
func New(c config.Config, now func() time.Time, trace func(Step)) (_ *Engine, err error) {
	e := &Engine{config: c, trace: newTimeline(now, trace)}
	defer e.trace.begin(0, "load models")()
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.decoder, err = OpenDecoder(c); err != nil {
		return nil, err
	}
	if e.pack, err = OpenPack(c); err != nil {
		return nil, err
	}
	e.params = search.DefaultParams(*e.pack.Scale())
	e.params.SampleRate = float64(c.SampleRate)
	if e.runtime, err = OpenRuntime(c); err != nil {
		return nil, err
	}
	e.recognizers = newPool(Workers(c), e.runtime, e.pack)
	e.photos = photo.NewMemory(max(photo.DefaultMemory, int64(Workers(c))*photoShare))
	return e, nil
}

// Close frees the models. It may be called again.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	for _, p := range e.others {
		err = errors.Join(err, p.close())
	}
	if e.recognizers != nil {
		err = errors.Join(err, e.recognizers.close())
	}
	if e.runtime != nil {
		err = errors.Join(err, e.runtime.Close())
	}
	return err
}

// Model is what the service must know of the model pack.
func (e *Engine) Model() service.Model {
	return service.Model{
		ID: e.pack.Model(), Version: e.pack.Version(), Dim: e.pack.Dim(), Cohort: e.pack.Cohort(), Calibration: e.pack.Calibration(),
	}
}

// photoShare is memory for a photo of 24 million pixels and three turned copies of it: each worker may look at one.
const photoShare = 288 << 20

// Workers is how many recognizers an engine with these settings works with, and so how many segments it analyses at once.
// GOMAXPROCS knows of a container's share of the machine.
func Workers(c config.Config) int {
	if c.Workers > 0 {
		return int(c.Workers)
	}
	return runtime.GOMAXPROCS(0)
}

// OpenDecoder looks for the decoder's programs where the settings say, or in the usual places.
func OpenDecoder(c config.Config) (*video.Decoder, error) {
	settings := video.DefaultConfig()
	settings.Helper, settings.FFmpeg = string(c.Helper), string(c.FFmpeg)
	if c.Sandbox == config.Relaxed {
		settings.Sandbox = video.SandboxRelaxed
	}
	settings.Kinds, settings.RawRate = strings.Split(string(c.VideoKinds), ","), float64(c.RawRate)
	settings.Limits.MaxBytes = int64(c.MaxVideoSize)
	settings.Limits.MaxDuration = time.Duration(c.MaxVideoLength)
	settings.Limits.MaxPixels = int64(c.MaxVideoPixels)
	d, err := video.New(settings)
	if err != nil {
		mend := "Name the programs with --decoder and --ffmpeg (SPOTTER_DECODER, SPOTTER_FFMPEG), or leave both out."
		return nil, &fault.EnvironmentError{Err: err, Mend: mend}
	}
	return d, nil
}

// OpenRuntime loads onnxruntime from where the settings say, or from the usual places.
func OpenRuntime(c config.Config) (*recognizer.Runtime, error) {
	r, err := recognizer.NewRuntime(string(c.ONNXRuntime), ModelsFolder(c))
	if err != nil {
		mend := "'make setup' puts onnxruntime beside the model pack; or name its library with --onnxruntime or " +
			"SPOTTER_ONNXRUNTIME."
		return nil, &fault.EnvironmentError{Err: fmt.Errorf("load onnxruntime: %w", err), Mend: mend}
	}
	return r, nil
}

// onceMore does once more what failed for a reason that may have gone by now: see [video.WorthAnother].
func onceMore[T any](ctx context.Context, do func() (T, error)) (T, error) {
	out, err := do()
	if video.WorthAnother(err) && ctx.Err() == nil {
		return do()
	}
	return out, err
}
