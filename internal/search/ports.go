package search

import (
	"context"

	"github.com/spotter-video/spotter/internal/face"
)

// Frames is one stretch of video as sampled frames in ascending time. It is used by one goroutine.
type Frames interface {
	// Next returns the next frame, or io.EOF after the last one. The frame and its planes are valid until the next
	// call. Any other error is final: the stretch failed for the reason it gives.
	Next(ctx context.Context) (*face.Frame, error)
}

// Detector finds faces in pictures. It is used by one goroutine.
type Detector interface {
	// Detect returns the faces of a frame, best confidence first, with box, landmarks, confidence, pose and quality all
	// set and implausible detections already refused, looking where it is asked to. It may look elsewhere as well. The
	// slice is valid until the next call.
	Detect(ctx context.Context, f *face.Frame, look face.Look) ([]face.Detection, error)
}

// Embedder turns detections into embeddings. It is used by one goroutine.
type Embedder interface {
	// Align cuts the detected face out of the picture it was detected in, onto the embedder's template.
	Align(p *face.Picture, d *face.Detection, dst *face.Crop)
	// Embed computes the embedding of a crop. The result is the caller's to keep.
	Embed(ctx context.Context, crop *face.Crop) (face.Sample, error)
	// EmbedView computes that of the crop alone or of its mirror image alone, which is less sure and costs half.
	EmbedView(ctx context.Context, crop *face.Crop, mirrored bool) (face.Sample, error)
}

// Gallery finds enrolled faces: exactly, the same answer always, ordered by score (highest first) and then by id.
type Gallery interface {
	// Search returns one list of hits per probe, in the probes' order. Safe for concurrent use.
	Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error)
}
