package video

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spotter-video/spotter/internal/face"
)

// Frames decodes an HEVC stream of so many frames in the sandboxed child, each a picture by itself, and hands each over in
// turn: the frames of a photo. A picture is valid until each returns. The errors are those of a video, and those of each.
func (d *Decoder) Frames(ctx context.Context, hevc []byte, frames int, each func(n int, p *face.Picture) error) (err error) {
	f, err := temporary(hevc)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	raw := *d
	raw.cfg.Kinds, raw.cfg.RawRate = []string{"raw"}, 1
	plan, err := raw.Plan(ctx, f)
	if err != nil {
		return err
	}
	n := 0
	for _, seg := range plan.Segments {
		if n, err = raw.frames(ctx, f, plan, seg, n, frames, each); err != nil {
			return err
		}
	}
	if n != frames {
		return fail(Invalid, nil, "The picture is damaged.")
	}
	return nil
}

// frames hands over the frames of a segment, the first of which is number n, and returns the next one's number.
func (d *Decoder) frames(
	ctx context.Context, f *os.File, plan *Plan, seg Segment, n, most int, each func(int, *face.Picture) error,
) (_ int, err error) {
	stream, err := d.Open(ctx, f, plan, seg, StreamOptions{})
	if err != nil {
		return n, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for {
		frame, err := stream.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			if damage := stream.Stats().Damage; damage.Refused+damage.Concealed+damage.Corrupt > 0 {
				return n, fail(Invalid, nil, "The picture is damaged.")
			}
			return n, nil
		case err != nil:
			return n, err
		case n == most:
			return n, fail(Invalid, nil, "The picture is damaged.")
		}
		if err := each(n, &frame.Full); err != nil {
			return n, err
		}
		n++
	}
}

// temporary is a file without a name that holds the content.
func temporary(content []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "spotter-still-")
	if err != nil {
		return nil, systemError(err, fail(Unavailable, nil, "There is no place for a temporary file."))
	}
	if err = os.Remove(f.Name()); err == nil {
		_, err = f.Write(content)
	}
	if err != nil {
		return nil, errors.Join(systemError(err, fail(Unavailable, nil, "A temporary file cannot be written.")), f.Close())
	}
	return f, nil
}
