package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Version is the version of the messages. Parent and child must agree exactly: they are built together.
const Version = 3

// MaxMessage is more than the bytes of any message; what is longer is not one.
const MaxMessage = 1024

// Kind says what a message is.
type Kind uint8

// The messages. KindRequest, KindRelease and KindHave go to the child, the others come from it.
const (
	KindRequest Kind = iota + 1
	KindRelease
	KindReady
	KindInfo
	KindCut
	KindFrame
	KindDone
	KindFailure
	KindWant
	KindHave
)

// headerSize is version, kind and the payload's length as uint16, little endian.
const headerSize = 4

// Message is one of the message structs of this package.
type Message interface{ kind() Kind }

// Task is what the child is asked to do.
type Task uint8

// The tasks.
const (
	// TaskPlan asks for the video's description and the places where it can be cut: Info, then Cuts, then Done.
	TaskPlan Task = iota + 1
	// TaskDecode asks for the sampled frames of one segment: Frames, then Done.
	TaskDecode
)

// Container names a demuxer. The parent chooses it by the file's first bytes, so that no other demuxer ever sees them.
type Container uint8

// The containers.
const (
	MP4 Container = iota + 1
	Matroska
	AVI
	MPEGTS
	MPEGPS
	MXF
	ASF
	FLV
	RawH264
	RawHEVC
	RawMJPEG
)

// Demuxer is libav's name of the demuxer that reads the container; empty for none.
func (c Container) Demuxer() string {
	names := [...]string{
		MP4: "mov", Matroska: "matroska", AVI: "avi", MPEGTS: "mpegts", MPEGPS: "mpeg", MXF: "mxf", ASF: "asf", FLV: "flv",
		RawH264: "h264", RawHEVC: "hevc", RawMJPEG: "mjpeg",
	}
	if int(c) < len(names) {
		return names[c]
	}
	return ""
}

// Kind is the container's name in the settings.
func (c Container) Kind() string {
	names := [...]string{
		MP4: "mp4", Matroska: "matroska", AVI: "avi", MPEGTS: "mpegts", MPEGPS: "mpegps", MXF: "mxf", ASF: "asf", FLV: "flv",
		RawH264: "raw", RawHEVC: "raw", RawMJPEG: "raw",
	}
	if int(c) < len(names) {
		return names[c]
	}
	return ""
}

// Raw says whether the container is none: a bare stream, which has no times.
func (c Container) Raw() bool { return c >= RawH264 && c <= RawMJPEG }

// SeekMode says how the child gets to the start of a segment.
type SeekMode uint8

// The ways to seek.
const (
	// SeekNone reads from the start of the file and skips.
	SeekNone SeekMode = iota
	// SeekTime uses the container's index.
	SeekTime
	// SeekByte jumps to a byte position.
	SeekByte
)

// The ends of time, in a video's time base: a segment from or to there has no border on that side.
const (
	Beginning int64 = math.MinInt64
	End       int64 = math.MaxInt64
)

// Segment is a stretch of video to decode. Times are presentation times in the stream's time base.
type Segment struct {
	// From and To bound the frames that belong to the segment: From <= pts < To.
	From, To int64
	// Seek says how to get to the keyframe where decoding starts: by KeyTime, its presentation time (decoding time
	// where packets have no other), or by SeekPos, its place in the file.
	Seek    SeekMode
	KeyTime int64
	SeekPos int64
	// A file may be several recordings, one after another, each with a clock of its own. The segment lies within the bytes
	// from Begin to Stop (0: the file's end), where Shift ticks added to the file's time stamps give times on one line.
	Shift, Begin, Stop int64
}

// Clock turns a stream's timestamps into times. A frame's time is its timestamp x Num / Den seconds, less Origin.
type Clock struct {
	Num, Den int32
	// Origin is the container's start in nanoseconds.
	Origin int64
	// First is the timestamp of the first video frame: where the sampling grid starts.
	First int64
}

// Request is the first message: what to do, and within which limits.
type Request struct {
	Task      Task
	Container Container
	// Strict refuses to work unless every part of the sandbox is in force.
	Strict bool
	// Limits of the process and of what it buffers.
	Memory     uint64 // RLIMIT_DATA, bytes
	CPUSeconds uint64 // RLIMIT_CPU
	MaxPixels  int64  // of one picture
	GOPPackets int32  // packets buffered while planning
	GOPBytes   int64  // bytes buffered while planning
	// Base is where the container begins in the file: what comes before is not of it.
	Base int64
	// RawRate is the frames per second of a raw stream, in thousandths.
	RawRate int32
	// Stream is the number of the stream in the container; below 0 the child chooses one.
	Stream int32
	// Cut says that the file is shorter than it says itself; only for TaskPlan.
	Cut bool
	// Lazy says that of the file only those windows are there that the child has asked for.
	Lazy bool
	// Spacing is the wished length of a segment in nanoseconds; only for TaskPlan.
	Spacing int64
	// The rest is only for TaskDecode.
	Untimed bool // packets have no presentation times: decode everything, take the decoder's
	Segment Segment
	Clock   Clock
	Rate    float64 // frames per second; 0 for all
	Slots   int32   // of SlotSize(MaxPixels) bytes each
	// MaxTime ends the stretch, in nanoseconds from the container's start.
	MaxTime int64
	// Until is when the video ends, in ticks, as far as its plan tells.
	Until int64
}

// Release gives a slot of the ring back to the child.
type Release struct{ Slot int32 }

// Window is the bytes of a window: the child asks for parts of a lazy file in windows that begin at multiples of it, and the last one
// ends with the file.
const Window = 256 << 10

// Want asks for the bytes From..To of a lazy file: one window.
type Want struct{ From, To int64 }

// Check says what no honest child would ask for of a file of so many bytes; nil if nothing is wrong.
func (w *Want) Check(size int64) error {
	if w.From < 0 || w.From%Window != 0 || w.To <= w.From || w.To > size || w.To != min(w.From+Window, size) {
		return fmt.Errorf("bytes %d to %d of %d", w.From, w.To, size)
	}
	return nil
}

// Have says that the bytes From..To are there: those that were asked for, and perhaps some after.
type Have struct{ From, To int64 }

// Ready says that the sandbox is in force and the file is about to be opened.
type Ready struct {
	Landlock int32 // ABI in force; 0 for none
	Seccomp  bool
	Limits   bool
}

// Text is a short string of a message, padded with zero bytes.
type Text [64]byte

// MakeText cuts a string to what fits.
func MakeText(s string) Text {
	var t Text
	copy(t[:], s)
	return t
}

// String is the text with anything that does not belong on a terminal replaced by a question mark.
func (t Text) String() string {
	b := t[:]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = c
		if c < 0x20 || c > 0x7e {
			out[i] = '?'
		}
	}
	return string(out)
}

// Info describes the video.
type Info struct {
	Codec, Format Text
	Stream        int32
	Clock         Clock
	Geometry      Geometry
	Duration      int64 // nanoseconds from the container's start to the end of its last frame
	RateNum       int32 // average frames per second, as a fraction
	RateDen       int32
	FullRange     bool
	Interlaced    bool
	Deep          bool // more than 8 bits a sample
	Untimed       bool
	Skewed        bool // the display matrix turns by something else than quarter turns
	Seek          SeekMode
	Stop          int64            // where the bytes that are planned end; 0: with the file
	Until         int64            // when the last frame ends, in ticks
	Videos        int32            // how many video tracks the file has, at most MaxVideos
	Video         [MaxVideos]int32 // their streams' numbers
}

// MaxVideos is the most video tracks that are listed.
const MaxVideos = 16

// Cut is a place where a segment may start: see [Segment].
type Cut struct{ From, KeyTime, SeekPos, Shift, Begin int64 }

// Frame says that a slot holds a picture.
type Frame struct {
	Slot      int32
	Width     int32 // of the full picture in pixels, upright, with square pixels
	Height    int32
	Time      int64 // nanoseconds from the container's start
	Matrix    uint8 // face.ColorMatrix
	FullRange bool
}

// Done ends the work.
type Done struct {
	Packets   int64 // read from the stream
	Sent      int64 // given to the decoder
	Decoded   int64 // frames that came out
	Delivered int64
	Errors    int64 // packets that the decoder refused
	Missing   int64 // frames that were chosen and did not come
	Backwards int64 // frames left out because their time was not after the last one's
	Corrupt   int64 // packets of which the container says that a part is missing
	Concealed int64 // frames delivered of which the decoder made up a part
	Lost      int64 // nanoseconds of which the file holds nothing that can be read
	Clocks    bool  // the clock starts anew too often; the rest is left out
	Truncated bool  // the file ends before its index says so
	TooLong   bool  // the stretch went on after MaxTime
}

// Reason says why the child gave up.
type Reason uint8

// The reasons.
const (
	ReasonInternal  Reason = iota + 1
	ReasonSandbox          // a part of the sandbox could not be put in force
	ReasonOpen             // the container could not be read
	ReasonNoVideo          // no stream at all that has pictures
	ReasonAudioOnly        // sound only
	ReasonCover            // sound with a cover picture
	ReasonCodec            // a codec that is not decoded
	ReasonEncrypted        // pictures are encrypted
	ReasonPixels           // a picture larger than MaxPixels
	ReasonMemory           // memory ran out
	ReasonNoFrames         // nothing could be decoded
	ReasonRead             // the file could not be read (input/output error)
	ReasonNotBuilt         // the program was built without libav
	ReasonProtocol         // the parent said something unexpected
	ReasonStreams          // more streams than are read
	reasonEnd
)

// Failure ends the work without a result.
type Failure struct {
	Reason Reason
	// Detail is libav's or the system's own word for it.
	Detail Text
	Codec  Text
}

func (*Request) kind() Kind { return KindRequest }
func (*Release) kind() Kind { return KindRelease }
func (*Ready) kind() Kind   { return KindReady }
func (*Info) kind() Kind    { return KindInfo }
func (*Cut) kind() Kind     { return KindCut }
func (*Frame) kind() Kind   { return KindFrame }
func (*Done) kind() Kind    { return KindDone }
func (*Failure) kind() Kind { return KindFailure }
func (*Want) kind() Kind    { return KindWant }
func (*Have) kind() Kind    { return KindHave }

// Encode is a message as bytes: version, kind, length of the rest as uint16, then the fields in order, little endian.
func Encode(m Message) ([]byte, error) {
	head := []byte{Version, byte(m.kind()), 0, 0}
	b, err := binary.Append(head, binary.LittleEndian, m)
	if err != nil {
		return nil, fmt.Errorf("encode control message %d: %w", m.kind(), err)
	}
	binary.LittleEndian.PutUint16(b[2:], uint16(len(b)-headerSize)) //nolint:gosec // G115: far below MaxMessage
	return b, nil
}

// Decode reads one message. It accepts exactly what [Encode] writes.
func Decode(b []byte) (Message, error) {
	if len(b) < headerSize {
		return nil, fmt.Errorf("control message of %d bytes is too short", len(b))
	}
	if b[0] != Version {
		return nil, fmt.Errorf("control message of version %d, want %d: spotter and spotter-decode are of different builds",
			b[0], Version)
	}
	m := empty(Kind(b[1]))
	if m == nil {
		return nil, fmt.Errorf("control message of unknown kind %d", b[1])
	}
	want := binary.Size(m)
	if said := int(binary.LittleEndian.Uint16(b[2:])); said != want || len(b) != headerSize+want {
		return nil, fmt.Errorf("control message %d says %d bytes and has %d, want %d", b[1], said, len(b)-headerSize, want)
	}
	if _, err := binary.Decode(b[headerSize:], binary.LittleEndian, m); err != nil {
		return nil, fmt.Errorf("decode control message %d: %w", b[1], err)
	}
	again, err := Encode(m)
	if err != nil || !bytes.Equal(again, b) {
		return nil, errors.New("control message is not in its one form")
	}
	return m, nil
}

func empty(k Kind) Message {
	switch k {
	case KindRequest:
		return new(Request)
	case KindRelease:
		return new(Release)
	case KindReady:
		return new(Ready)
	case KindInfo:
		return new(Info)
	case KindCut:
		return new(Cut)
	case KindFrame:
		return new(Frame)
	case KindDone:
		return new(Done)
	case KindFailure:
		return new(Failure)
	case KindWant:
		return new(Want)
	case KindHave:
		return new(Have)
	default:
		return nil
	}
}

// Check says what no honest child would count; nil if nothing is wrong.
func (d *Done) Check() error {
	for _, n := range []int64{
		d.Packets, d.Sent, d.Decoded, d.Delivered, d.Errors, d.Missing, d.Backwards, d.Corrupt, d.Concealed, d.Lost,
	} {
		if n < 0 {
			return fmt.Errorf("a count of %d", n)
		}
	}
	return nil
}

// Check says what no honest child would tell of a video; nil if nothing is wrong.
func (i *Info) Check(maxPixels int64) error {
	switch {
	case i.Clock.Num <= 0 || i.Clock.Den <= 0:
		return errors.New("time base is not positive")
	case i.Stream < 0 || i.Duration < 0 || i.RateNum < 0 || i.RateDen < 0:
		return errors.New("negative stream, duration or rate")
	case i.Seek > SeekByte:
		return errors.New("unknown way to seek")
	case i.Videos < 0 || i.Videos > MaxVideos:
		return fmt.Errorf("%d video tracks", i.Videos)
	}
	return i.Geometry.Check(maxPixels)
}
