package engine

import (
	"context"
	"errors"
	"runtime"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
)

// photos is the service's eyes for photos.
type photos struct {
	recognizers *pool
	limits      photo.Limits
	memory      *photo.Memory
	decoder     *video.Decoder
}

// Photos gives a service eyes for photos of up to so many bytes. They have so many recognizers of their own, as many as there are cores
// if that is 0: whoever sends a photo waits, and should not wait for a segment of video. [Engine.Close] closes them.
func (e *Engine) Photos(workers int, largest int64) service.Photos {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := newPool(workers, e.runtime, e.pack)
	e.mu.Lock()
	e.others = append(e.others, p)
	e.mu.Unlock()
	limits := photo.DefaultLimits()
	limits.Bytes = largest
	return &photos{recognizers: p, limits: limits, memory: e.photos, decoder: e.decoder}
}

// Look implements [service.Photos].
func (p *photos) Look(ctx context.Context, image []byte, want service.Wanted) ([]service.PhotoFace, error) {
	// Its turn comes before it is decoded, which takes memory that only a few photos at a time may have.
	rec, err := p.recognizers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.recognizers.give(rec)
	limits := p.limits
	limits.JPEG = still(ctx, p.decoder)
	picture, done, err := p.memory.Decode(ctx, image, limits, 0)
	if err != nil {
		return nil, photoError(err)
	}
	defer done()
	found, err := rec.Faces(ctx, picture)
	if err != nil {
		return nil, err
	}
	faces := make([]service.PhotoFace, len(found))
	for i := range found {
		if faces[i], err = photoFace(ctx, rec, picture, &found[i], want); err != nil {
			return nil, err
		}
	}
	return faces, nil
}

func photoFace(
	ctx context.Context, rec *recognizer.Recognizer, p *face.Picture, f *recognizer.Face, want service.Wanted,
) (out service.PhotoFace, err error) {
	out = service.PhotoFace{Height: f.Height, Weak: f.Doubtful}
	out.Detection = f.Detection
	embeddable := f.Sample.Embedding.Vector != nil
	if want.Probe && embeddable {
		out.Probe = f.Sample.Embedding.Vector
	}
	if want.Template && embeddable {
		template, cause := rec.Template(ctx, p, f)
		if cause != nil {
			return out, cause
		}
		out.Template = template.Embedding.Vector
	}
	if want.Attributes {
		if out.Attributes, err = rec.Attributes(ctx, p, &f.Detection); errors.Is(err, recognizer.ErrNoFace) {
			err = nil // nothing can be said of it
		}
	}
	return out, err
}

// photoError says in the service's words why a photo cannot be used.
func photoError(err error) error {
	refused := (*photo.Error)(nil)
	if !errors.As(err, &refused) {
		if video.WorthAnother(err) {
			return videoError(err)
		}
		return err
	}
	switch refused.Kind {
	case photo.TooLarge:
		return &service.Error{Kind: service.ImageTooLarge, Message: "Image size is too large: " + refused.Message}
	case photo.TooSmall:
		return &service.Error{Kind: service.Invalid, Message: "Request has invalid parameters: " + refused.Message}
	default:
		return &service.Error{Kind: service.BadImage, Message: "Request has invalid image format: " + refused.Message}
	}
}
