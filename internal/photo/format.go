package photo

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

const (
	jpegMagic = "\xff\xd8\xff"
	pngMagic  = "\x89PNG\r\n\x1a\n"
)

// foreign is a kind of file that people take for a photo, or name like one.
type foreign struct {
	// name with its article, as it stands after "this is".
	name string
	// advice is what to do to get a photo out of it.
	advice string
}

// notAPhoto explains bytes that are neither JPEG nor PNG.
func notAPhoto(data []byte) error {
	f, known := recognise(data)
	switch {
	case len(data) == 0:
		return &Error{Kind: Format, Message: "the file is empty"}
	case !known:
		return &Error{Kind: Format, Message: "this is neither a JPEG nor a PNG image"}
	case f.advice == "":
		return &Error{Kind: Format, Message: fmt.Sprintf("this is %s; Spotter reads JPEG and PNG photos", f.name)}
	default:
		return &Error{Kind: Format, Message: fmt.Sprintf("this is %s; Spotter reads JPEG and PNG photos: %s", f.name, f.advice)}
	}
}

// recognise names a file by its first bytes.
func recognise(data []byte) (foreign, bool) {
	if f, ok := recogniseISO(data); ok {
		return f, true
	}
	if f, ok := recogniseRIFF(data); ok {
		return f, true
	}
	const tiff = "convert it, for example with: ffmpeg -i photo.tif photo.png"
	const video = "save one of its pictures, for example with: ffmpeg -ss 3 -i video.mkv -frames:v 1 photo.png"
	for _, m := range []struct {
		magic string
		foreign
	}{
		{"BM", foreign{"a BMP image", "convert it, for example with: ffmpeg -i photo.bmp photo.png"}},
		{"II*\x00", foreign{"a TIFF or camera raw image", tiff}},
		{"MM\x00*", foreign{"a TIFF or camera raw image", tiff}},
		{"GIF8", foreign{"a GIF image", "convert it, for example with: ffmpeg -i photo.gif -frames:v 1 photo.png"}},
		{"%PDF-", foreign{"a PDF document", "save its pictures, for example with: pdfimages -all document.pdf photo"}},
		{"\xff\x0a", foreign{"a JPEG XL image", "convert it, for example with: djxl photo.jxl photo.png"}},
		{"\x00\x00\x00\x0cJXL ", foreign{"a JPEG XL image", "convert it, for example with: djxl photo.jxl photo.png"}},
		{"\x00\x00\x00\x0cjP  ", foreign{"a JPEG 2000 image", "convert it, for example with: ffmpeg -i photo.jp2 photo.png"}},
		{"8BPS", foreign{"a Photoshop document", "export it as PNG"}},
		{"\x1aE\xdf\xa3", foreign{"a Matroska or WebM video", video}},
		{"PK\x03\x04", foreign{"a ZIP archive or an office document", "unpack it first"}},
		{"\x1f\x8b", foreign{"a gzip archive", "unpack it first"}},
		{"\xff\xd8", foreign{"a JPEG image cut off after its first two bytes", "copy the file again"}},
		{"\x89PNG", foreign{"a PNG image whose first bytes were changed in a text-mode transfer", "copy the file again"}},
	} {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return m.foreign, true
		}
	}
	return recogniseText(data)
}

// recogniseISO names files of ISO/IEC 14496-12 by the brand in their ftyp box.
func recogniseISO(data []byte) (foreign, bool) {
	if len(data) < 12 || string(data[4:8]) != "ftyp" {
		return foreign{}, false
	}
	switch string(data[8:12]) {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return foreign{"a HEIC image", "convert it, for example with: heif-convert photo.heic photo.jpg"}, true
	case "avif", "avis":
		return foreign{"an AVIF image", "convert it, for example with: ffmpeg -i photo.avif photo.png"}, true
	case "crx ":
		return foreign{"a Canon raw image", "export it as JPEG"}, true
	default:
		return foreign{
			"an MP4 or MOV video",
			"save one of its pictures, for example with: ffmpeg -ss 3 -i video.mp4 -frames:v 1 photo.png",
		}, true
	}
}

func isWebP(data []byte) bool {
	return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
}

func recogniseRIFF(data []byte) (foreign, bool) {
	if len(data) < 12 || string(data[:4]) != "RIFF" {
		return foreign{}, false
	}
	switch string(data[8:12]) {
	case "WEBP":
		return foreign{"a WebP image", "convert it, for example with: ffmpeg -i photo.webp photo.png"}, true
	case "AVI ":
		return foreign{
			"an AVI video",
			"save one of its pictures, for example with: ffmpeg -ss 3 -i video.avi -frames:v 1 photo.png",
		}, true
	default:
		return foreign{}, false
	}
}

// recogniseText takes what begins as printable UTF-8 for text, and names its two kinds that stand in for pictures.
func recogniseText(data []byte) (foreign, bool) {
	head := bytes.TrimPrefix(data[:min(len(data), 512)], []byte("\xef\xbb\xbf"))
	for rest := head; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(rest) && len(data) > len(head) {
				break // a character cut by the end of the look-ahead
			}
			return foreign{}, false
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return foreign{}, false
		}
		rest = rest[n:]
	}
	lower := bytes.ToLower(head)
	switch {
	case len(head) == 0:
		return foreign{}, false
	case bytes.Contains(lower, []byte("<svg")):
		return foreign{"an SVG drawing", "convert it, for example with: rsvg-convert drawing.svg -o photo.png"}, true
	case bytes.Contains(lower, []byte("<html")) || bytes.Contains(lower, []byte("<!doctype html")):
		return foreign{"a web page", "save the picture itself, not the page that shows it"}, true
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return foreign{"a Git LFS pointer", "fetch the file itself with: git lfs pull"}, true
	default:
		return foreign{"a text file", ""}, true
	}
}
