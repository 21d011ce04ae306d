package recognizer

import (
	"context"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// embedder turns crops into embeddings. It belongs to one goroutine.
type embedder struct {
	spec    *EmbedderSpec
	session *onnx.Session
	run     *onnx.Run
	filler  *raster.Filler
}

func newEmbedder(library *onnx.Library, pack *Pack) (*embedder, error) {
	spec := &pack.manifest.Embedder
	session, err := library.NewSession(pack.content[spec.File], spec.Input.Name, spec.Output)
	if err != nil {
		return nil, fmt.Errorf("embedder %s: %w", spec.File, err)
	}
	run, err := session.For(onnx.Shape{1, 3, face.CropSide, face.CropSide})
	if err == nil {
		err = run.Do() // on zeros, to see what it gives
	}
	if err == nil && len(run.Output(0)) != spec.Dimension {
		err = fmt.Errorf("the model gives %d numbers, the manifest says %d", len(run.Output(0)), spec.Dimension)
	}
	if err != nil {
		return nil, closeAll(func() error { return fmt.Errorf("embedder %s: %w", spec.File, err) }, session.Close)
	}
	return &embedder{spec: spec, session: session, run: run, filler: raster.NewFiller(spec.Input.normal())}, nil
}

// errNoDirection is what a crop without a face can lead to: the model says nothing at all.
var errNoDirection = errors.New("the model's output has no direction")

// embed adds the crop's unit vector to vector and returns the raw output's length.
func (e *embedder) embed(crop *face.Crop, mirrored bool, vector []float32) (float32, error) {
	e.filler.Crop(e.run.Input(), crop, mirrored)
	if err := e.run.Do(); err != nil {
		return 0, err
	}
	raw := e.run.Output(0)
	norm, err := face.Normalize(raw)
	if err != nil {
		return 0, errNoDirection
	}
	for i, v := range raw {
		vector[i] += v
	}
	return norm, nil
}

func (e *embedder) close() error { return e.session.Close() }

// Embed computes the embedding of a crop: the unit vector of the model's output or, where the pack says so, of the sum of
// the unit vectors of the crop and its mirror image. Norm is the length of the crop's own raw output. The result is the
// caller's to keep.
func (r *Recognizer) Embed(ctx context.Context, crop *face.Crop) (face.Sample, error) {
	if err := ctx.Err(); err != nil {
		return face.Sample{}, err
	}
	vector := make([]float32, r.embedder.spec.Dimension)
	norm, err := r.embedder.embed(crop, false, vector)
	if err == nil && r.embedder.spec.Flip {
		if _, err = r.embedder.embed(crop, true, vector); err == nil {
			if _, err = face.Normalize(vector); err != nil {
				err = errNoDirection
			}
		}
	}
	if err != nil {
		return face.Sample{}, fmt.Errorf("embed face: %w", err)
	}
	return face.Sample{Embedding: face.Embedding{Model: r.pack.model, Vector: vector}, Norm: norm}, nil
}

// EmbedView computes half of what Embed does, at half the cost: the unit vector of the crop alone or of its mirror image
// alone. The pool of several crops, every other one mirrored, is worth as much as that of both views of each. For a pack
// that does not mirror, mirrored is ignored.
func (r *Recognizer) EmbedView(ctx context.Context, crop *face.Crop, mirrored bool) (face.Sample, error) {
	if err := ctx.Err(); err != nil {
		return face.Sample{}, err
	}
	vector := make([]float32, r.embedder.spec.Dimension)
	norm, err := r.embedder.embed(crop, mirrored && r.embedder.spec.Flip, vector)
	if err != nil {
		return face.Sample{}, fmt.Errorf("embed face: %w", err)
	}
	return face.Sample{Embedding: face.Embedding{Model: r.pack.model, Vector: vector}, Norm: norm}, nil
}
