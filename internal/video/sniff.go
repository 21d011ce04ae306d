package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// sniffBytes is how much of a file's start is looked at: enough for several transport stream packets.
const sniffBytes = 8 << 10

// accepted names the containers, for sentences.
const accepted = "MP4, MOV, MKV, WebM, AVI, MPEG-TS, MPEG-PS, MXF, WMV or FLV"

// sniff tells the container by the file's first bytes, or says what the file is instead. Names do not count: a playlist
// called clip.mp4 is a playlist.
//
// The container may begin later than the file: a recorder writes a header of its own, a transport stream's start may be
// damaged. Then base is where.
func sniff(r io.ReaderAt) (c wire.Container, base int64, _ *Error) {
	head := make([]byte, sniffBytes)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, fail(Invalid, err, "The file cannot be read: check the disk or the network share that it is on.")
	}
	head = head[:n]
	if n == 0 {
		return 0, 0, fail(Invalid, nil, "The file is empty: the upload or the recording did not happen. Provide it again.")
	}
	if bytes.HasPrefix(head, []byte("IMKH")) {
		return wire.MPEGPS, hikvisionHeader, nil
	}
	if c := container(head); c != 0 {
		return c, 0, nil
	}
	if isMotionJPEG(r, head) {
		return wire.RawMJPEG, 0, nil
	}
	refusal := notAVideo(head)
	if refusal.Kind != Invalid || isText(head) {
		return 0, 0, refusal
	}
	if base := damagedStart(r); base > 0 {
		return wire.MPEGTS, base, nil
	}
	return 0, 0, refusal
}

// hikvisionHeader is the bytes of a Hikvision recorder's own header, before an MPEG program stream.
const hikvisionHeader = 40

// searchBytes is how far a file is looked through for what is not at its beginning.
const searchBytes = 4 << 20

// damagedStart is where a transport stream begins whose first bytes are damaged or zero; 0 if there is none.
func damagedStart(r io.ReaderAt) int64 {
	head := make([]byte, searchBytes)
	n, _ := r.ReadAt(head, 0)
	start, size := transportStart(head[:n])
	if size == 0 {
		return 0
	}
	return int64(start)
}

// isMotionJPEG says whether a file is one JPEG picture after another. That of a photo ends the file, whatever it holds.
func isMotionJPEG(r io.ReaderAt, head []byte) bool {
	if !bytes.HasPrefix(head, []byte("\xff\xd8\xff")) {
		return false
	}
	start := make([]byte, searchBytes)
	n, _ := r.ReadAt(start, 0)
	const pictures = 3 // photos may have one or two others behind them: a preview, a depth map
	return bytes.Count(start[:n], []byte("\xff\xd9\xff\xd8\xff")) >= pictures
}

// rawStream tells a bare H.264 or HEVC stream by the unit that its first start code begins: a parameter set or a
// delimiter.
func rawStream(head []byte) wire.Container {
	at := bytes.Index(head[:min(len(head), 8)], []byte("\x00\x00\x01"))
	if at < 0 || at > 1 || len(head) < at+5 || head[0] != 0 {
		return 0
	}
	switch unit, next := head[at+3], head[at+4]; {
	case unit == 0x67 || unit == 0x27 || unit == 0x47 || (unit == 0x09 && next&0x1f == 0x10):
		return wire.RawH264
	case (unit == 0x40 || unit == 0x42 || unit == 0x46) && next == 0x01:
		return wire.RawHEVC
	default:
		return 0
	}
}

// admits says why a container is not read although it could be; nil if it is.
func (c *Config) admits(k wire.Container) *Error {
	if !slices.Contains(c.Kinds, k.Kind()) {
		return fail(Unsupported, nil, "This is a file of the kind %s, which the setting video-kinds (%s) does not let in.",
			k.Kind(), strings.Join(c.Kinds, ","))
	}
	if !k.Raw() || c.RawRate > 0 {
		return nil
	}
	const raw = "This is a bare %s stream: it has no times, and does not say how fast it plays. Say it with raw-rate (as " +
		"--raw-rate 25, in frames per second), or wrap it: ffmpeg -f %s -framerate 25 -i IN %s."
	if k == wire.RawMJPEG {
		return fail(Unsupported, nil, raw, "Motion JPEG", k.Demuxer(), "-c copy OUT.mkv")
	}
	return fail(Unsupported, nil, raw, map[wire.Container]string{wire.RawH264: "H.264", wire.RawHEVC: "HEVC"}[k], k.Demuxer(),
		"-c:v libx264 OUT.mp4")
}

// container is the container that a file's head belongs to; 0 for none that is decoded.
func container(head []byte) wire.Container {
	switch {
	case isMP4(head):
		return wire.MP4
	case bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		return wire.Matroska
	case len(head) >= 12 && string(head[:4]) == "RIFF" && (string(head[8:12]) == "AVI " || string(head[8:12]) == "AVIX"):
		return wire.AVI
	case isTransportStream(head):
		return wire.MPEGTS
	case bytes.HasPrefix(head, []byte("\x00\x00\x01\xba")):
		return wire.MPEGPS
	case bytes.HasPrefix(head, []byte("\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02")): // a header partition
		return wire.MXF
	case bytes.HasPrefix(head, []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11")):
		return wire.ASF
	case bytes.HasPrefix(head, []byte("FLV\x01")):
		return wire.FLV
	default:
		return rawStream(head)
	}
}

// isMP4 looks for one of the boxes that files of this family begin with.
func isMP4(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch string(head[4:8]) {
	case "ftyp":
		return !isStillImage(head)
	case "moov", "mdat", "free", "skip", "wide", "pnot", "styp", "sidx", "moof", "uuid":
		return true
	}
	return false
}

// isStillImage recognises the photo formats that share MP4's boxes: HEIC and AVIF.
func isStillImage(head []byte) bool {
	if len(head) < 12 {
		return false
	}
	switch string(head[8:12]) {
	case "heic", "heix", "mif1", "avif":
		return true
	}
	return false
}

// A transport stream's packets begin with syncByte. The plain ones have bareTransport bytes; others have a time before
// each (192) or redundancy after it (204).
const (
	syncByte      = 0x47
	bareTransport = 188
)

// transportStart looks for sync bytes at the distances of the three packet sizes, with any rubbish before the first. It
// gives the first packet's place and the packets' size; size 0 if there is none.
func transportStart(head []byte) (start, size int) {
	const wanted = 5
	for start := range head {
		if head[start] != syncByte {
			continue
		}
		for _, size := range []int{bareTransport, 192, 204} {
			found := 0
			for at := start; found < wanted && at < len(head) && head[at] == syncByte; at += size {
				found++
			}
			atEnd := start+found*size >= len(head) && start < size
			if found >= wanted || (found >= 2 && atEnd) {
				return start, size
			}
		}
	}
	return 0, 0
}

// isTransportStream says whether a head is one of a transport stream.
func isTransportStream(head []byte) bool {
	_, size := transportStart(head)
	return size > 0
}

// magics are beginnings of files that people take for videos, and what to say about them.
func magics() []struct {
	offset int
	magic  string
	kind   Kind
	say    string
} {
	const image = "This is a picture (%s), not a video. Enrol faces from it, or search a video."
	const convert = "This is %s, which is not decoded. Convert it first: ffmpeg -i IN -c:v libx264 OUT.mp4."
	const hikvision = "This is a recording of a Hikvision recorder in a form of its own, which is not decoded. Export it as MP4 " +
		"or AVI in the recorder's own player (VSPlayer)."
	const sound = "This is a sound file (%s): there are no pictures in it to search."
	return []struct {
		offset int
		magic  string
		kind   Kind
		say    string
	}{
		{0, "\xff\xd8\xff", NoVideo, fmt.Sprintf(image, "JPEG")},
		{0, "\x89PNG", NoVideo, fmt.Sprintf(image, "PNG")},
		{0, "GIF8", NoVideo, "This is a GIF. Convert it first: ffmpeg -i IN.gif OUT.mp4."},
		{0, "BM", NoVideo, fmt.Sprintf(image, "BMP")},
		{0, "II*\x00", NoVideo, fmt.Sprintf(image, "TIFF or camera raw")},
		{0, "MM\x00*", NoVideo, fmt.Sprintf(image, "TIFF or camera raw")},
		{8, "WEBP", NoVideo, fmt.Sprintf(image, "WebP")},
		{4, "ftyp", NoVideo, fmt.Sprintf(image, "HEIC or AVIF")},
		{8, "WAVE", NoVideo, fmt.Sprintf(sound, "WAV")},
		{0, "ID3", NoVideo, fmt.Sprintf(sound, "MP3")},
		{0, "fLaC", NoVideo, fmt.Sprintf(sound, "FLAC")},
		{0, "OggS", Unsupported, fmt.Sprintf(convert, "Ogg")},
		{0, ".RMF", Unsupported, fmt.Sprintf(convert, "RealMedia")},
		{0, "DHAV", Unsupported, "This is a recording of a Dahua recorder (DHAV), which is not decoded. Convert it without loss: " +
			"ffmpeg -f dhav -i IN -c copy OUT.mkv. Or export it as MP4 or AVI in the recorder's own player."},
		{0, "HKH4", Unsupported, hikvision},
		{0, "4HKH", Unsupported, hikvision},
		{0, "HKMI", Unsupported, hikvision},
		{0, "PK\x03\x04", Invalid, "This is a ZIP archive. Unpack it and search the video inside."},
		{0, "\x1f\x8b", Invalid, "This is a gzip archive. Unpack it and search the video inside."},
		{0, "7z\xbc\xaf", Invalid, "This is a 7-Zip archive. Unpack it and search the video inside."},
		{0, "Rar!", Invalid, "This is a RAR archive. Unpack it and search the video inside."},
		{0, "%PDF", Invalid, "This is a PDF document, not a video."},
	}
}

func notAVideo(head []byte) *Error {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, t := range []struct{ prefix, say string }{
		{"#EXTM3U", "This is an HLS playlist, not a video file: it only lists addresses. Download the stream first " +
			"(ffmpeg -i URL -c copy OUT.mkv) and search that."},
		{"ffconcat", "This is a list of files for ffmpeg (ffconcat), not a video. Join them first and search the result."},
		{"v=0", "This is a session description (SDP), not a video file: it only says where a live stream is. Record it first."},
		{"<?xml", "This is an XML document (perhaps a DASH manifest), not a video file. Download the stream first."},
		{"<MPD", "This is a DASH manifest, not a video file: it only lists addresses. Download the stream first."},
		{"<!DOCTYPE", "This is a web page, not a video: the download probably ended on an error or login page."},
		{"<html", "This is a web page, not a video: the download probably ended on an error or login page."},
		{"version https://git-lfs", "This is a Git LFS pointer, not the video itself: run git lfs pull."},
	} {
		if len(text) >= len(t.prefix) && bytes.EqualFold(text[:len(t.prefix)], []byte(t.prefix)) {
			return fail(Invalid, nil, "%s", t.say)
		}
	}
	for _, m := range magics() {
		if len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.magic)) {
			return fail(m.kind, nil, "%s", m.say)
		}
	}
	if isText(head) {
		return fail(Invalid, nil, "This is a text file, not a video. Videos are "+accepted+" files.")
	}
	return fail(Invalid, nil, "This is no video that can be recognised: it begins like no "+accepted+" file. "+
		"It may be damaged, encrypted or of another kind.")
}

// isText says whether a head is readable text.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 && len(head) >= utf8.UTFMax {
			return false
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		head = head[n:]
	}
	return true
}

// boxes says which of MP4's top-level boxes a file has, and whether one reaches beyond the file's end.
type boxes struct{ ftyp, moov, mdat, cut bool }

// named says whether four bytes may be a box's name: letters, digits and signs, in QuickTime also a (c).
func named(b []byte) bool {
	for _, c := range b {
		if c < ' ' || (c > '~' && c != 0xa9) {
			return false
		}
	}
	return true
}

// readBoxes walks over the top-level boxes, of which even a fragmented recording of hours has fewer than maxBoxes that
// matter.
func readBoxes(r io.ReaderAt, size int64) (b boxes) {
	const maxBoxes = 4096
	at := int64(0)
	for range maxBoxes {
		var head [16]byte
		n, _ := r.ReadAt(head[:], at)
		if n < 8 {
			b.cut = b.cut || n > 0
			return b
		}
		length := int64(binary.BigEndian.Uint32(head[:4]))
		switch length {
		case 0:
			length = size - at
		case 1:
			length = int64(binary.BigEndian.Uint64(head[8:16])) //nolint:gosec // G115: a negative one is refused below
		}
		switch string(head[4:8]) {
		case "ftyp":
			b.ftyp = true
		case "moov":
			b.moov = true
		case "mdat":
			b.mdat = true
		}
		if length < 8 || length > size-at || !named(head[4:8]) {
			b.cut = true
			return b
		}
		at += length
	}
	return b
}
