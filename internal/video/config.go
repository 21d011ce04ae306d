package video

import (
	"encoding"
	"fmt"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// Config says where the decoder's programs are and what they may use.
type Config struct {
	// Helper is the path of spotter-decode, FFmpeg of ffmpeg (ffprobe is looked for beside it). Empty: beside the
	// running program, then in PATH.
	Helper, FFmpeg string
	// Sandbox says whether a weaker sandbox than the full one is acceptable.
	Sandbox SandboxLevel
	Limits  Limits
	// Kinds are the kinds of containers that are read: [Kinds] or fewer. A kind less is a demuxer less that a hostile file
	// can reach.
	Kinds []string
	// RawRate is the frames per second of streams without a container, which do not say it; 0: they are not read.
	RawRate float64
}

// Kinds are the names of all kinds of containers that can be read. "raw" are H.264, HEVC and MJPEG streams without any.
func Kinds() []string {
	return []string{"mp4", "matroska", "avi", "mpegts", "mpegps", "mxf", "asf", "flv", "raw"}
}

// SandboxLevel says how much of the sandbox must be in force before a file is touched.
type SandboxLevel uint8

// The levels.
const (
	// SandboxStrict refuses to decode unless resource limits, Landlock and seccomp are all in force.
	SandboxStrict SandboxLevel = iota
	// SandboxRelaxed takes what the kernel has; what is missing is a warning of every plan.
	SandboxRelaxed
)

var (
	_ encoding.TextUnmarshaler = (*SandboxLevel)(nil)
	_ encoding.TextMarshaler   = SandboxLevel(0)
)

// UnmarshalText reads "strict" or "relaxed".
func (l *SandboxLevel) UnmarshalText(text []byte) error {
	switch string(text) {
	case "strict":
		*l = SandboxStrict
	case "relaxed":
		*l = SandboxRelaxed
	default:
		return fmt.Errorf("sandbox level %q: want strict or relaxed", text)
	}
	return nil
}

// MarshalText writes what [SandboxLevel.UnmarshalText] reads.
func (l SandboxLevel) MarshalText() ([]byte, error) {
	if l == SandboxRelaxed {
		return []byte("relaxed"), nil
	}
	return []byte("strict"), nil
}

// Limits bound what one video may cost. Raising one admits larger files and gives a hostile one more to waste.
type Limits struct {
	// MaxPixels of one picture. 36 million hold 8K (7680 x 4320) and little more.
	MaxPixels int64
	// MaxBytes of a file: Rekognition's own limit for stored video is 10 GB.
	MaxBytes int64
	// MaxDuration of a video: Rekognition's own limit is 6 hours.
	MaxDuration time.Duration
	// SegmentLength is about how long the segments of a plan are. Shorter ones lose less when a worker dies; each
	// costs one process start (35 ms of CPU, measured) and the seeking. 15 s keep two workers busy with a video of half a minute.
	SegmentLength time.Duration
	// Memory is the child's writable private memory in bytes (RLIMIT_DATA). 1080p H.264 needs under 256 MB
	// (reference figures in docs/decisions); more is allowed for pictures that need more, see memory.
	Memory uint64
	// CPUPerSecond is the CPU time that a second of video may take, beside CPUBase for start and planning. 1080p
	// takes 0.3, 8K HEVC about 5; a file that needs a hundred times its own length is not worth it.
	CPUPerSecond float64
	CPUBase      time.Duration
	// CPUStart, CPUFirst, CPUPerPixel and CPUPerByte bound the same by what the whole file holds, so that a short one
	// cannot take minutes; the lower bound of the two counts. Each is some twenty times what was measured on one core
	// of a server (docs/decisions/0013): 0.15 s to start and read headers; up to 0.3 s more to the first picture, of 4K;
	// 2 to 5 ns a pixel; 35 ns a byte of ProRes, which has many bytes a pixel. Single-board computers are five times as
	// slow.
	CPUStart, CPUFirst      time.Duration
	CPUPerPixel, CPUPerByte time.Duration
	// WallPerSecond is the same for the time spent waiting for the child, beside WallBase. It is larger, for a busy
	// machine.
	WallPerSecond float64
	WallBase      time.Duration
	// GOPPackets and GOPBytes bound what is buffered to plan one group of pictures. Beyond them decisions are made
	// with what has been read: the frames stay exact, fewer are saved from decoding. 600 packets are 10 s at 60
	// frames a second, longer than any encoder's default group; 64 MB are 5 s at 100 Mbit/s.
	GOPPackets int
	GOPBytes   int64
}

// DefaultConfig is the configuration with every limit at its default.
func DefaultConfig() Config {
	return Config{
		Kinds: Kinds(),
		Limits: Limits{
			MaxPixels:     36_000_000,
			MaxBytes:      10 << 30,
			MaxDuration:   6 * time.Hour,
			SegmentLength: 15 * time.Second,
			Memory:        512 << 20,
			CPUPerSecond:  20,
			CPUBase:       2 * time.Minute,
			CPUStart:      3 * time.Second,
			CPUFirst:      5 * time.Second,
			CPUPerPixel:   100 * time.Nanosecond,
			CPUPerByte:    2 * time.Microsecond,
			WallPerSecond: 60,
			WallBase:      5 * time.Minute,
			GOPPackets:    600,
			GOPBytes:      64 << 20,
		},
	}
}

// fastestRaw is the most frames per second of a raw stream: slow-motion cameras end there.
const fastestRaw = 1000

// Validate names the first setting that cannot work.
func (c *Config) Validate() error {
	l := &c.Limits
	for _, s := range []struct {
		key string
		ok  bool
	}{
		{"limits.max_pixels", l.MaxPixels > 0 && l.MaxPixels <= wire.MostPixels},
		{"limits.max_bytes", l.MaxBytes > 0},
		{"limits.max_duration", l.MaxDuration > 0},
		{"limits.segment_length", l.SegmentLength >= time.Second},
		{"limits.memory", l.Memory >= 64<<20},
		{"limits.cpu_per_second", l.CPUPerSecond > 0},
		{"limits.cpu_base", l.CPUBase >= time.Second},
		{"limits.cpu_start", l.CPUStart >= time.Second && l.CPUFirst >= 0},
		{"limits.cpu_per_pixel", l.CPUPerPixel > 0},
		{"limits.cpu_per_byte", l.CPUPerByte > 0},
		{"limits.wall_per_second", l.WallPerSecond > 0},
		{"limits.wall_base", l.WallBase >= time.Second},
		{"limits.gop_packets", l.GOPPackets >= 2 && l.GOPPackets <= 1<<20},
		{"limits.gop_bytes", l.GOPBytes >= 1<<20},
		{"sandbox", c.Sandbox <= SandboxRelaxed},
		{"kinds", !slices.ContainsFunc(c.Kinds, func(k string) bool { return !slices.Contains(Kinds(), k) })},
		{"raw_rate", c.RawRate >= 0 && c.RawRate <= fastestRaw},
	} {
		if !s.ok {
			return fmt.Errorf("video setting %s is out of range", s.key)
		}
	}
	return nil
}

// memory is the child's limit for pictures of so many pixels. A decoder holds up to 17 pictures (H.264's and HEVC's
// largest buffer is 16, for small pictures; 8K streams have 6), 8-bit 4:2:0 takes 1.5 bytes a pixel and deeper samples
// twice that; at 8K, 12 pictures and the buffers for a group are enough (measured: see the package's tests).
func (l *Limits) memory(pixels int64, deep bool) uint64 {
	const heldPictures = 12
	bytes := pixels * 3 / 2
	if deep {
		bytes *= 2
	}
	const base = 192 << 20 // runtime, libraries' data, buffered packets
	return max(l.Memory, base+uint64(max(bytes, 0))*heldPictures)
}

func (l *Limits) cpuSeconds(stretch time.Duration) uint64 {
	return uint64((l.CPUBase.Seconds() + stretch.Seconds()*l.CPUPerSecond) + 1)
}

// planSeconds is the CPU time for planning a file: all of it is read, and decoded to the first picture.
func (l *Limits) planSeconds(stretch time.Duration, bytes int64) uint64 {
	content := l.CPUStart.Seconds() + l.CPUFirst.Seconds() + float64(bytes)*l.CPUPerByte.Seconds()
	return min(l.cpuSeconds(stretch), uint64(content)+1)
}

// decodeSeconds is the CPU time for decoding a segment. No segment holds more than the whole file, and of that an average
// is known: a segment of it may well have more pictures a second.
func (l *Limits) decodeSeconds(plan *Plan, stretch time.Duration) uint64 {
	// Averages of a file's beginning may be too low: screens stand still, and calls begin with small pictures.
	const leastRate, leastPixels = 60, 640 * 480
	t := &plan.Track
	pixels := max(float64(t.Geometry.Width)*float64(t.Geometry.Height), leastPixels)
	pictures := (plan.Info.Duration.Seconds() + 1) * max(plan.Info.FrameRate, leastRate)
	content := l.CPUStart.Seconds() + float64(t.Bytes)*l.CPUPerByte.Seconds() + pictures*pixels*l.CPUPerPixel.Seconds()
	return min(l.cpuSeconds(stretch), uint64(min(content, 1<<40))+1)
}

func (l *Limits) wall(stretch time.Duration) time.Duration {
	return l.WallBase + time.Duration(stretch.Seconds()*l.WallPerSecond*float64(time.Second))
}
