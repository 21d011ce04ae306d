//go:build cgo && !nolibav

package main

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#cgo CFLAGS: -O2 -Wall -Wextra
#cgo LDFLAGS: -lm
#include "decode.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// noTime is libav's mark for a missing timestamp.
const noTime = math.MinInt64

// libavError is one of libav's error codes.
type libavError C.int

// Error is libav's sentence for the code.
func (e libavError) Error() string {
	var text [128]C.char
	C.sd_error(C.int(e), &text[0], C.int(len(text)))
	return C.GoString(&text[0])
}

func (e libavError) memory() bool { return C.sd_is_memory(C.int(e)) != 0 }

var (
	errEnd   = errors.New("end of stream")
	errAgain = errors.New("more input is wanted")
)

// refusal says why a file that could be read has nothing to decode.
type refusal struct {
	reason wire.Reason
	codec  string
}

func (r *refusal) Error() string { return "no stream to decode" }

// packet is one packet of the stream. It is freed by release.
type packet struct {
	handle          *C.struct_AVPacket
	pts, dts, pos   int64
	duration        int64
	size            int
	unread          int64
	key, closed     bool
	corrupt         bool
	nonref, discard bool
	layer           int
	// Set while planning, see gop.go: decided about; its frame is wanted; nothing wanted needs it.
	settled, chosen, unneeded bool
}

func (p *packet) release() {
	if p.handle != nil {
		C.sd_free(p.handle)
		p.handle = nil
	}
}

// picture is what is known of the decoder's current frame.
type picture struct {
	time                  int64 // presentation time in ticks
	width, height         int
	sarNum, sarDen        int
	interlaced, fullRange bool
	deep                  bool
	matrix                uint8
	orientation           wire.Orientation
	guessed               bool // the time is libav's guess
	concealed             bool // the decoder made up a part of it
}

// source is one open video stream.
type source struct {
	c      *C.sd_source
	info   C.sd_info
	file   *file
	free   func()  // what C has of the file
	pushed *packet // read, and to be read once more
	// begin and stop are the bytes that count; stop 0: to the file's end.
	begin, stop int64
	coverage    coverage
	rawRate     int32 // frames per second of a raw stream, in thousandths; 0 for others
}

var refusals = map[C.int]wire.Reason{ //nolint:gochecknoglobals // a constant table
	C.SD_NO_VIDEO: wire.ReasonNoVideo, C.SD_AUDIO_ONLY: wire.ReasonAudioOnly, C.SD_COVER: wire.ReasonCover,
	C.SD_CODEC: wire.ReasonCodec, C.SD_ENCRYPTED: wire.ReasonEncrypted, C.SD_STREAMS: wire.ReasonStreams,
}

// openSource opens the request's file; stream < 0 chooses one. all reads every stream, to tell which bytes belong to none.
func openSource(f *file, request *wire.Request, stream int, all bool) (*source, error) {
	name, rate := cString(request.Container.Demuxer()), []byte{0}
	if request.Container.Raw() {
		rate = cString(fmt.Sprintf("%d/1000", request.RawRate))
	}
	handle, free := f.handle()
	s := &source{coverage: newCoverage(f, request), file: f, free: free}
	if request.Container.Raw() {
		s.rawRate = request.RawRate
	}
	var refused, everything C.int
	if all {
		everything = 1
	}
	r := C.sd_open(C.int(f.fd), handle, C.int64_t(request.Base), C.int64_t(f.size), (*C.char)(unsafe.Pointer(&name[0])),
		(*C.char)(unsafe.Pointer(&rate[0])), C.int64_t(request.MaxPixels), C.int(stream), everything, &s.c, &s.info, &refused)
	if r < 0 {
		s.close()
		if w, h := int64(s.info.width), int64(s.info.height); w*h > request.MaxPixels {
			return nil, &failure{wire.ReasonPixels, sizeText(int(w), int(h))}
		}
		return nil, libavError(r)
	}
	if refused != C.SD_OK {
		defer s.close()
		return nil, &refusal{reason: refusals[refused], codec: C.GoString(&s.info.codec[0])}
	}
	return s, nil
}

func cString(s string) []byte { return append([]byte(s), 0) }

func (s *source) close() {
	if s.pushed != nil {
		s.pushed.release()
	}
	C.sd_close(s.c)
	s.c = nil
	s.free()
	s.free = func() {}
}

// read is the stream's next packet; errEnd after the last.
func (s *source) read() (*packet, error) {
	if p := s.pushed; p != nil {
		s.pushed = nil
		return p, nil
	}
	for {
		p, err := s.readAny()
		switch {
		case err != nil:
			return nil, err
		case p.pos >= 0 && p.pos < s.begin:
			p.release()
		case s.stop > 0 && p.pos >= s.stop:
			p.release()
			return nil, errEnd
		default:
			s.coverage.add(p)
			return p, nil
		}
	}
}

// readAny is the stream's next packet wherever it lies.
func (s *source) readAny() (*packet, error) {
	var m C.sd_packet
	p := new(packet)
	if r := C.sd_read(s.c, &p.handle, &m); r < 0 {
		if C.sd_is_eof(r) != 0 {
			return nil, errEnd
		}
		return nil, libavError(r)
	}
	p.pts, p.dts, p.pos = int64(m.pts), int64(m.dts), int64(m.pos)
	p.duration, p.size, p.layer = int64(m.duration), int(m.size), int(m.layer)
	p.unread, p.corrupt = int64(m.unread), m.corrupt != 0
	p.key, p.closed, p.nonref, p.discard = m.key != 0, m.closed != 0, m.nonref != 0, m.discard != 0
	return p, nil
}

// step is the ticks that a frame lasts on average; 0 where that is not known.
func (s *source) step() int64 {
	i := &s.info
	if s.rawRate > 0 && i.tb_num > 0 {
		return int64(1000 * float64(i.tb_den) / (float64(s.rawRate) * float64(i.tb_num)))
	}
	if i.rate_num <= 0 || i.rate_den <= 0 || i.tb_num <= 0 {
		return 0
	}
	return int64(float64(i.rate_den) * float64(i.tb_den) / (float64(i.rate_num) * float64(i.tb_num)))
}

// shift adds ticks to the time stamps of what is read from now on.
func (s *source) shift(ticks int64) { C.sd_shift(s.c, C.int64_t(ticks)) }

// end is the latest time, in microseconds, that a packet of any stream lasts to; 0 where none has been read.
func (s *source) end() int64 { return int64(C.sd_end(s.c)) }

// reach is the byte where the last packet of any stream ended.
func (s *source) reach() int64 { return int64(C.sd_reach(s.c)) }

// pushBack makes the next read return p.
func (s *source) pushBack(p *packet) { s.pushed = p }

// send gives the decoder a packet; nil ends the stream. A refused packet is an error that need not be the end.
func (s *source) send(p *packet) error {
	var handle *C.struct_AVPacket
	if p != nil {
		handle = p.handle
	}
	if r := C.sd_send(s.c, handle); r < 0 && C.sd_is_eof(r) == 0 {
		return libavError(r)
	}
	return nil
}

// receive makes the next decoded frame the current one; errAgain or errEnd when there is none.
func (s *source) receive() (picture, error) {
	var m C.sd_frame
	if r := C.sd_receive(s.c, &m); r < 0 {
		switch {
		case C.sd_is_eof(r) != 0:
			return picture{}, errEnd
		case C.sd_is_again(r) != 0:
			return picture{}, errAgain
		}
		return picture{}, libavError(r)
	}
	p := picture{
		time: int64(m.pts), width: int(m.width), height: int(m.height), sarNum: int(m.sar_num), sarDen: int(m.sar_den),
		interlaced: m.interlaced != 0, fullRange: m.full_range != 0, deep: m.deep != 0, matrix: uint8(m.matrix),
		concealed: m.concealed != 0, orientation: wire.Orientation(m.orientation),
	}
	if p.time == noTime {
		p.time, p.guessed = int64(m.best), true
	}
	return p, nil
}

// draw puts the current frame into a slot.
func (s *source) draw(g wire.Geometry, slot []byte) error {
	layout := g.Layout()
	full, small := pictureOf(&layout.Full), pictureOf(&layout.Small)
	var other *C.sd_picture
	if g.HasSmall() {
		other = &small
	}
	if len(slot) < layout.Size {
		return errors.New("slot is too small")
	}
	r := C.sd_draw(s.c, C.int(g.Orientation), &full, other, (*C.uint8_t)(unsafe.Pointer(&slot[0])))
	if r < 0 {
		return libavError(r)
	}
	return nil
}

func pictureOf(planes *[3]wire.Plane) C.sd_picture {
	p := C.sd_picture{width: C.int(planes[0].Width), height: C.int(planes[0].Height)}
	for i, plane := range planes {
		p.offset[i], p.stride[i] = C.int64_t(plane.Offset), C.int(plane.Stride)
	}
	return p
}

// seek goes to a keyframe at or before a time of the container's index.
func (s *source) seek(time int64) error {
	if r := C.sd_seek(s.c, C.int64_t(time), 0, 0); r < 0 {
		return libavError(r)
	}
	return nil
}

// seekByte goes to a byte position.
func (s *source) seekByte(pos int64) error {
	if r := C.sd_seek(s.c, 0, C.int64_t(pos), 1); r < 0 {
		return libavError(r)
	}
	return nil
}

// entry is one line of the container's index.
type entry struct {
	time, pos int64
	key       bool
}

func (s *source) entries() int { return int(s.info.index_entries) }

func (s *source) entry(i int) (entry, bool) {
	var time, pos C.int64_t
	var key C.int
	if C.sd_index(s.c, C.int(i), &time, &pos, &key) < 0 {
		return entry{}, false
	}
	return entry{int64(time), int64(pos), key != 0}, true
}

func (s *source) readFailed() bool { return C.sd_read_error(s.c) != 0 }

const triesThreads = true

// startThreads starts threads until there are as many, or no more can be started, and says how many there were.
func startThreads(most int) int { return int(C.sd_threads(C.int(most))) }

func versions() string {
	var text [160]C.char
	C.sd_versions(&text[0], C.int(len(text)))
	return C.GoString(&text[0])
}

// refreshIndex counts the index's entries anew: some containers read it late.
func (s *source) refreshIndex() int {
	s.info.index_entries = C.sd_index_count(s.c)
	return s.entries()
}

func goString(b []C.char) string {
	var out []byte
	for _, c := range b {
		if c == 0 {
			break
		}
		out = append(out, byte(c))
	}
	return string(out)
}
