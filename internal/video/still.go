package video

import (
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// Still decodes one JPEG of a known size in the sandboxed child, as the only frame of a video: for pictures that no decoder
// written in Go reads. The errors are those of a video.
func (d *Decoder) Still(ctx context.Context, jpeg []byte, width, height int) (_ *image.YCbCr, err error) {
	f, err := temporary(oneFrameAVI(jpeg, width, height))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	plan, err := d.Plan(ctx, f)
	if err != nil {
		return nil, err
	}
	stream, err := d.Open(ctx, f, plan, plan.Segments[0], StreamOptions{SampleRate: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	frame, err := stream.Next(ctx)
	if err != nil {
		return nil, err
	}
	p := &frame.Full
	out := &image.YCbCr{
		Y: slices.Clone(p.Planes[0]), Cb: slices.Clone(p.Planes[1]), Cr: slices.Clone(p.Planes[2]),
		YStride: p.Strides[0], CStride: p.Strides[1], SubsampleRatio: image.YCbCrSubsampleRatio420,
		Rect: image.Rect(0, 0, p.Width, p.Height),
	}
	jfif := p.Layout == face.I420 && p.FullRange && p.Matrix == face.BT601 // what a YCbCr of package image is
	if _, err = stream.Next(ctx); !errors.Is(err, io.EOF) {
		return nil, err
	}
	damage := stream.Stats().Damage
	if out.Rect.Dx() != width || out.Rect.Dy() != height || !jfif || damage.Refused+damage.Concealed+damage.Corrupt > 0 {
		return nil, fail(Invalid, nil, "The picture is damaged.")
	}
	return out, nil
}

// oneFrameAVI wraps a JPEG as a Motion JPEG video of one second (AVI RIFF file reference, Microsoft).
func oneFrameAVI(jpeg []byte, width, height int) []byte {
	le := binary.LittleEndian
	numbers := func(list ...int) (out []byte) {
		for _, n := range list {
			out = le.AppendUint32(out, uint32(n)) //nolint:gosec // sizes that have been looked at
		}
		return out
	}
	chunk := func(id string, content ...[]byte) []byte {
		data := slices.Concat(content...)
		out := append([]byte(id), numbers(len(data))...)
		out = append(out, data...)
		if len(data)%2 == 1 {
			out = append(out, 0)
		}
		return out
	}
	const second = 1_000_000 // microseconds a frame
	main := chunk("avih", numbers(second, 0, 0, 0, 1, 0, 1, len(jpeg), width, height, 0, 0, 0, 0))
	stream := chunk("strh", []byte("vidsMJPG"), numbers(0, 0, 0, 1, 1, 0, 1, len(jpeg), -1, 0, 0, 0))
	const bits, plane = 24, 1
	format := chunk("strf", numbers(40, width, height, bits<<16|plane), []byte("MJPG"), numbers(3*width*height, 0, 0, 0, 0))
	header := chunk("LIST", []byte("hdrl"), main, chunk("LIST", []byte("strl"), stream, format))
	return chunk("RIFF", []byte("AVI "), header, chunk("LIST", []byte("movi"), chunk("00dc", jpeg)))
}
