package video

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// kindFiles are ways to write a video of 4 s in each kind of container.
var kindFiles = map[string]string{
	"a.mpg":        "@pattern320x240 -c:v mpeg2video -bf 2 -g 12",
	"old.mpg":      "@pattern320x240 -c:v mpeg1video -f mpeg",
	"a.vob":        "@pattern320x240 -c:v mpeg2video -bf 2 -f vob",
	"h264.vob":     "@pattern320x240 -c:v libx264 -g 25 -f vob",
	"mpeg2.mxf":    "@pattern320x240 -c:v mpeg2video -bf 2",
	"xdcam.mxf":    "@pattern1440x1080 -c:v mpeg2video -pix_fmt yuv420p -b:v 35M -t 1",
	"dnxhd.mxf":    "@pattern1280x720 -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -t 1",
	"avci.mxf":     "@pattern1920x1080 -c:v libx264 -avcintra-class 100 -pix_fmt yuv422p10le -t 1 -threads 2",
	"wmv1.wmv":     "@pattern320x240 -c:v wmv1 -g 25",
	"wmv2.wmv":     "@pattern320x240 -c:v wmv2 -g 25",
	"sorenson.flv": "@pattern320x240 -c:v flv1 -g 25",
	"h264.flv":     "@pattern320x240 -c:v libx264 -g 25",
	"a.h264":       "@pattern320x240 -c:v libx264 -g 25",
	"a.hevc":       "@pattern320x240 -c:v libx265 -x265-params log-level=none",
	"a.mjpeg":      "@pattern320x240 -c:v mjpeg",
}

func rawRate(rate float64) func(*Config) { return func(c *Config) { c.RawRate = rate } }

// TestKindsAreRead decodes a file of each kind, whole and in its time.
func TestKindsAreRead(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, rawRate(25))
	for name, args := range kindFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := media(t, name, args)
			p := plan(t, d, open(t, path))
			n, said, err := decodeAll(t, d, path)
			t.Logf("%s in %s, %v, %d segments, %d frames, %q", p.Info.Codec, p.Info.Format, p.Info.Duration, len(p.Segments), n, said)
			want := p.Info.Duration.Seconds() * 5
			if err != nil || len(said) > 0 || float64(n) < want-1.5 || float64(n) > want+1.5 || (want < 19 && !strings.Contains(args, "-t 1")) {
				t.Errorf("%d frames of %.1f, %q %v", n, want, said, err)
			}
		})
	}
}

// TestKindsAreHeldOff lets only some kinds in.
func TestKindsAreHeldOff(t *testing.T) {
	t.Parallel()
	d := newDecoder(t, func(c *Config) { c.Kinds = []string{"mp4", "mpegts"} })
	_, err := d.Plan(t.Context(), open(t, media(t, "a.flv", "@pattern -c:v flv1 -t 1")))
	if e := ofKind(t, err, Unsupported); !strings.Contains(e.Reason, "video-kinds") {
		t.Errorf("%q does not name the setting", e.Reason)
	}
	plan(t, d, open(t, media(t, "a.ts", "@pattern -c:v libx264 -t 1")))
}

// TestFoundBehindOtherBytes has containers that begin later than the file.
func TestFoundBehindOtherBytes(t *testing.T) {
	t.Parallel()
	ts := media(t, "a.ts", "@pattern -c:v libx264 -g 25")
	vob := media(t, "a.vob", "@pattern320x240 -c:v mpeg2video -f vob")
	header := slices.Concat([]byte("IMKH\x01\x01\x00\x00"), make([]byte, 32)) // 40 bytes, as recorders write them
	noise := make([]byte, 30011)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for name, c := range map[string]struct {
		before []byte
		file   string
	}{
		"zeros":     {make([]byte, 1<<20), ts},
		"damage":    {noise, ts},
		"hikvision": {header, vob},
	} {
		b, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "a.mp4")
		if err := os.WriteFile(path, slices.Concat(c.before, b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, base, err := sniff(open(t, path)); err != nil || base != int64(len(c.before)) {
			t.Errorf("%s: begins at %d, %v, want %d", name, base, err, len(c.before))
		}
		for which, d := range map[string]*Decoder{"helper": newDecoder(t), "ffmpeg": newTool(t)} {
			if n, said, err := decodeAll(t, d, path); n < 19 || n > 21 || err != nil {
				t.Errorf("%s, %s: %d frames, %q %v", name, which, n, said, err)
			}
		}
	}
}

// TestAdviceWorks does what messages advise, and decodes the outcome.
func TestAdviceWorks(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for name, args := range map[string]string{
		"a.h264": kindFiles["a.h264"], "a.hevc": kindFiles["a.hevc"], "a.mjpeg": kindFiles["a.mjpeg"],
		"a.ogv": "@pattern320x240 -c:v libtheora", "a.gif": "@pattern320x240", "a.rm": "@pattern352x288 -c:v rv20",
		"a.dav": "", "ffv1.mkv": "@pattern320x240 -c:v ffv1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dahua(t)
			if args != "" {
				path = media(t, name, args)
			}
			_, err := d.Plan(t.Context(), open(t, path))
			if err == nil {
				t.Fatal("nothing is advised")
			}
			command := regexp.MustCompile(`ffmpeg (.*OUT\.\w+)`).FindStringSubmatch(err.Error())
			if command == nil {
				t.Fatalf("no command in %q", err)
			}
			dir := t.TempDir()
			words := strings.Fields(command[1])
			for i, w := range words {
				if strings.HasPrefix(w, "IN") {
					words[i] = path
				}
				if strings.HasPrefix(w, "OUT") {
					words[i] = filepath.Join(dir, w)
				}
			}
			out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-nostdin"}, words...)...).CombinedOutput()
			if err != nil {
				t.Fatalf("ffmpeg %q: %v\n%s", words, err, out)
			}
			n, said, err := decodeAll(t, d, words[len(words)-1])
			if n < 18 || n > 22 || err != nil || len(said) > 0 {
				t.Errorf("%d frames, %q %v", n, said, err)
			}
		})
	}
}

// dahua is a recording as a Dahua recorder writes it: each picture between a header "DHAV" and a tail "dhav".
func dahua(t *testing.T) string {
	t.Helper()
	stream, err := os.ReadFile(media(t, "a.h264", "@pattern320x240 -c:v libx264 -bf 0 -g 25 -x264-params aud=1"))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i, picture := range bytes.Split(stream, []byte("\x00\x00\x00\x01\x09"))[1:] {
		picture = append([]byte("\x00\x00\x00\x01\x09"), picture...)
		extra := []byte{0x81, 0, 8, 25, 0x82, 0, 0, 0, 0x40, 1, 0xf0, 0} // H.264 at 25 a second, 320 x 240
		kind := byte(0xfc)
		if i%25 == 0 {
			kind = 0xfd
		}
		total := uint32(24 + len(extra) + len(picture) + 8)
		head := append([]byte("DHAV"), kind, 0, 0, 0)
		head = binary.LittleEndian.AppendUint32(head, uint32(i))
		head = binary.LittleEndian.AppendUint32(head, total)
		head = binary.LittleEndian.AppendUint32(head, 24<<26|5<<22|4<<17|3<<12|2<<6|uint32(i/25)) // the date, packed
		head = binary.LittleEndian.AppendUint16(head, uint16(40*i))
		head = append(head, byte(len(extra)), 0)
		out = slices.Concat(out, head, extra, picture, []byte("dhav"), binary.LittleEndian.AppendUint32(nil, total))
	}
	path := filepath.Join(t.TempDir(), "a.dav")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDamagedKindsEndCleanly changes bytes of a file of each kind: each try ends with frames or with a reason, and the
// decoder neither crashes nor goes on for ever. SPOTTER_MUTATIONS is how many changed files of each are tried.
func TestDamagedKindsEndCleanly(t *testing.T) {
	t.Parallel()
	tries, err := strconv.Atoi(os.Getenv("SPOTTER_MUTATIONS"))
	if err != nil {
		tries = 5
	}
	d := newDecoder(t, rawRate(25), func(c *Config) { c.Limits.CPUBase = 20e9 })
	for name, args := range kindFiles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			small := strings.NewReplacer("320x240", "96x64", "1280x720", "256x120").Replace(args)
			if strings.Contains(args, "1920x1080") || strings.Contains(args, "1440x1080") {
				small += " -t 0.2"
			}
			whole, err := os.ReadFile(media(t, name, small))
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(uint64(len(name)), 7))
			path := filepath.Join(t.TempDir(), name)
			for i := range tries {
				if err := os.WriteFile(path, mutated(whole, random), 0o600); err != nil {
					t.Fatal(err)
				}
				_, _, err := decodeAll(t, d, path)
				if k := KindOf(err); k == Crashed || k == Timeout || k == Unavailable || (err != nil && k == 0) {
					t.Errorf("try %d: %v", i, err)
				}
			}
		})
	}
}

// mutated is a file with some bytes changed, most of them near its beginning, where the headers are; or a part of it left
// out, or twice.
func mutated(whole []byte, random *rand.Rand) []byte {
	b := slices.Clone(whole)
	for range 1 + random.IntN(12) {
		within := len(b)
		if random.IntN(2) == 0 {
			within = min(within, 2048)
		}
		at := random.IntN(within)
		switch random.IntN(8) {
		case 0:
			b = append(b[:at], b[min(len(b), at+random.IntN(200)):]...)
		case 1:
			b = slices.Insert(b, at, slices.Clone(b[at:min(len(b), at+random.IntN(200))])...)
		case 2:
			b[at] = 0xff
		case 3:
			b[at] = 0
		case 4:
			b[at] ^= 1 << random.IntN(8)
		default:
			b[at] = byte(random.Uint32())
		}
		if len(b) == 0 {
			return whole
		}
	}
	return b
}
