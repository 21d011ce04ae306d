package app

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
	"github.com/spotter-video/spotter/internal/video"
)

// engine is what a search works with: models loaded once, a recognizer per worker, a decoder.
type engine struct {
	config      config.Config
	pack        *recognizer.Pack
	runtime     *recognizer.Runtime
	recognizers *pool
	decoder     *video.Decoder
	photos      *photo.Memory // of all photos that are looked at
	params      search.Params
	trace       *timeline // of a search; nil for a server
}

// newEngine loads what the settings name. Close it.
func newEngine(c config.Config) (_ *engine, err error) {
	e := &engine{config: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	if e.decoder, err = newDecoder(c); err != nil {
		return nil, err
	}
	if e.pack, err = loadPack(c); err != nil {
		return nil, err
	}
	e.params = search.DefaultParams(*e.pack.Scale())
	e.params.SampleRate = float64(c.SampleRate)
	if e.runtime, err = loadRuntime(c); err != nil {
		return nil, err
	}
	e.recognizers = newPool(workers(c), e.runtime, e.pack)
	e.photos = photo.NewMemory(max(photo.DefaultMemory, int64(workers(c))*photoShare))
	return e, nil
}

// Close frees the models. It may be called again.
func (e *engine) Close() error {
	var err error
	if e.recognizers != nil {
		err = e.recognizers.close()
	}
	if e.runtime != nil {
		err = errors.Join(err, e.runtime.Close())
	}
	return err
}

// photoShare is memory for a photo of 24 million pixels and three turned copies of it: each worker may look at one.
const photoShare = 288 << 20

// newDecoder looks for the decoder's programs where the settings say, or in the usual places.
func newDecoder(c config.Config) (*video.Decoder, error) {
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

// loadRuntime loads onnxruntime from where the settings say, or from the usual places.
func loadRuntime(c config.Config) (*recognizer.Runtime, error) {
	r, err := recognizer.NewRuntime(string(c.ONNXRuntime), modelsFolder(c))
	if err != nil {
		mend := "'make setup' puts onnxruntime beside the model pack; or name its library with --onnxruntime or " +
			"SPOTTER_ONNXRUNTIME."
		return nil, &fault.EnvironmentError{Err: fmt.Errorf("load onnxruntime: %w", err), Mend: mend}
	}
	return r, nil
}

// workers is how many segments are analysed at once. GOMAXPROCS knows of a container's share of the machine.
func workers(c config.Config) int {
	if c.Workers > 0 {
		return int(c.Workers)
	}
	return runtime.GOMAXPROCS(0)
}

// pool lends recognizers, and makes them as they are needed. A recognizer stands for a core: whoever works hard holds
// one. Safe for concurrent use.
type pool struct {
	make  func() (*recognizer.Recognizer, error)
	slots chan struct{} // holds one for each recognizer that is lent
	mu    sync.Mutex
	idle  []*recognizer.Recognizer
	made  map[*recognizer.Recognizer]int // numbered from 1
}

func newPool(most int, r *recognizer.Runtime, pack *recognizer.Pack) *pool {
	return &pool{
		make:  func() (*recognizer.Recognizer, error) { return r.New(pack, recognizer.Options{}) },
		slots: make(chan struct{}, most), made: map[*recognizer.Recognizer]int{},
	}
}

// take waits for a free recognizer. What is taken is given back.
func (p *pool) take(ctx context.Context) (*recognizer.Recognizer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if rec := p.pick(); rec != nil {
		return rec, nil
	}
	rec, err := p.make()
	if err != nil {
		<-p.slots
		return nil, err
	}
	p.mu.Lock()
	p.made[rec] = len(p.made) + 1
	p.mu.Unlock()
	return rec, nil
}

// number is a recognizer's, from 1.
func (p *pool) number(rec *recognizer.Recognizer) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made[rec]
}

func (p *pool) pick() *recognizer.Recognizer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	rec := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return rec
}

func (p *pool) give(rec *recognizer.Recognizer) {
	p.mu.Lock()
	p.idle = append(p.idle, rec)
	p.mu.Unlock()
	<-p.slots
}

// size is the most recognizers that are lent at once.
func (p *pool) size() int { return cap(p.slots) }

// close frees the recognizers, all of which have been given back.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, rec := range p.idle {
		err = errors.Join(err, rec.Close())
	}
	p.idle = nil
	return err
}
