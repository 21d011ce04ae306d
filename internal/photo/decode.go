package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"runtime"
	"slices"

	"github.com/bep/imagemeta"
	"golang.org/x/image/webp"

	"github.com/spotter-video/spotter/internal/face"
)

// Decode reads one JPEG, PNG or, where the limits allow it, WebP or HEIC image and turns it upright as it says itself. Bytes after the image's end
// are ignored; an image that ends early is refused. A refusal is an [*Error]; any other error is r's own, or [ErrPassing].
//
// Transparency is composited over white: that is how a person sees the photo on a page, while the colours that lie
// under transparent pixels are whatever the last program left there. Of an animated PNG the default image is read.
func Decode(r io.Reader, l Limits) (*face.Picture, error) {
	data, err := io.ReadAll(io.LimitReader(r, l.Bytes+1))
	if err != nil {
		return nil, fmt.Errorf("read photo: %w", err)
	}
	if err = l.checkBytes(int64(len(data))); err != nil {
		return nil, err
	}
	return decodeWhole(data, l)
}

// decodeWhole is [Decode] of a file that has been read, and is not too long.
func decodeWhole(data []byte, l Limits) (*face.Picture, error) {
	if l.HEVC != nil && isHEIF(data) {
		img, turn, refusal := decodeHEIC(data, l)
		if refusal != nil {
			return nil, refusal
		}
		return upright(img, turn)
	}
	img, format, err := decodeImage(data, l)
	if err != nil {
		return nil, err
	}
	return upright(img, orientation(data, format))
}

func decodeImage(data []byte, l Limits) (image.Image, imagemeta.ImageFormat, error) {
	switch {
	case bytes.HasPrefix(data, []byte(jpegMagic)):
		img, err := decodeJPEG(data, l)
		return img, imagemeta.JPEG, err
	case bytes.HasPrefix(data, []byte(pngMagic)):
		img, err := decodePNG(data, l)
		return img, imagemeta.PNG, err
	case l.WebP && isWebP(data):
		img, err := decodeWebP(data, l)
		return img, imagemeta.WebP, err
	default:
		return nil, imagemeta.ImageFormatAuto, notAPhoto(data)
	}
}

func decodeJPEG(data []byte, l Limits) (image.Image, error) {
	width, height, err := sizeOfJPEG(data)
	if err != nil {
		return nil, refused("JPEG", err)
	}
	if err = l.checkSize(width, height); err != nil {
		return nil, err
	}
	if scans := countScans(data); scans > maxScans {
		return nil, &Error{Kind: Format, Message: fmt.Sprintf(
			"this JPEG draws its picture in %d scans, more than the %d that Spotter reads: save it again", scans, maxScans)}
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if errors.Is(err, io.ErrUnexpectedEOF) {
		// A picture that is whole but for its end marker, as some phones' panoramas are. One that is cut within its data
		// is refused with the marker too. What the first try took is needed again.
		runtime.GC()
		img, err = jpeg.Decode(bytes.NewReader(append(slices.Clip(data), 0xff, markerEOI)))
		if err != nil {
			err = io.ErrUnexpectedEOF
		}
	}
	var unsupported jpeg.UnsupportedError
	var malformed jpeg.FormatError
	if l.JPEG != nil && (errors.As(err, &unsupported) || errors.As(err, &malformed)) {
		other, failed := l.JPEG(data, width, height)
		if failed == nil || errors.Is(failed, ErrPassing) {
			return other, failed
		}
	}
	if err != nil {
		return nil, refused("JPEG", err)
	}
	return img, nil
}

// sizeOfJPEG is the width and height that a JPEG's frame header says (ITU-T T.81, B.2.2), whose samplings the standard
// library need not know.
func sizeOfJPEG(data []byte) (width, height int, err error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if _, unsupported := errors.AsType[jpeg.UnsupportedError](err); !unsupported {
		return config.Width, config.Height, err
	}
	if f, ok := frameOfJPEG(data); ok {
		return f.width, f.height, nil
	}
	return 0, 0, err
}

func decodePNG(data []byte, l Limits) (image.Image, error) {
	// The standard library calls a size that overflows an unsupported feature, so the size is looked at first. The
	// header chunk comes first in every PNG: length, "IHDR", width, height (PNG specification, 11.2.2).
	if header := data[len(pngMagic):]; len(header) >= 16 && string(header[4:8]) == "IHDR" {
		width, height := binary.BigEndian.Uint32(header[8:]), binary.BigEndian.Uint32(header[12:])
		if err := l.checkSize(int(width), int(height)); err != nil {
			return nil, err
		}
	}
	data = pixelChunks(data)
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, refused("PNG", err)
	}
	if err = l.checkSize(config.Width, config.Height); err != nil {
		return nil, err
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, refused("PNG", err)
	}
	return img, nil
}

// pixelChunks is a PNG without the chunks that say nothing of its pixels (PNG specification, 5.4: their names begin with a
// small letter). Editors leave wrong checksums of texts behind, which the standard library refuses the picture for.
func pixelChunks(data []byte) []byte {
	const frame = 12 // length, name and checksum
	kept := append(make([]byte, 0, len(data)), data[:len(pngMagic)]...)
	for rest := data[len(pngMagic):]; len(rest) >= frame; {
		length := int64(binary.BigEndian.Uint32(rest)) + frame
		if length > int64(len(rest)) {
			return append(kept, rest...) // cut off, which the decoder tells
		}
		name := string(rest[4:8])
		if name[0] >= 'A' && name[0] <= 'Z' || name == "tRNS" {
			kept = append(kept, rest[:length]...)
		}
		if name == "IEND" {
			return kept
		}
		rest = rest[length:]
	}
	return kept
}

func decodeWebP(data []byte, l Limits) (image.Image, error) {
	config, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, refused("WebP", err)
	}
	if err = l.checkSize(config.Width, config.Height); err != nil {
		return nil, err
	}
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, refused("WebP", err)
	}
	return img, nil
}

// refused sorts a decoder's error.
func refused(name string, err error) error {
	var unsupportedJPEG jpeg.UnsupportedError
	var unsupportedPNG png.UnsupportedError
	switch {
	case errors.As(err, &unsupportedJPEG), errors.As(err, &unsupportedPNG):
		return &Error{
			Kind: Format, Err: err,
			Message: fmt.Sprintf("this is a %s image of a kind that Spotter does not read (%v): save it again as ordinary %s",
				name, err, name),
		}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &Error{
			Kind: Corrupt, Err: err,
			Message: fmt.Sprintf("this %s image is cut off before its end: copy the file again", name),
		}
	default:
		return &Error{
			Kind: Corrupt, Err: err,
			Message: fmt.Sprintf("this %s image is damaged or cut off (%v): copy the file again", name, err),
		}
	}
}
