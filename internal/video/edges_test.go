package video

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestEndsThatOnlyOneSignTells cuts files so that one thing alone says that something is missing.
func TestEndsThatOnlyOneSignTells(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	for name, c := range map[string]struct {
		file, args string
		cut        func([]byte) []byte
	}{
		"only the length that it names": {"whole.flv", "@pattern -c:v libx264 -g 25 -t 4 -an", afterTag},
		"only what is left behind it":   {"whole.mpg", "@pattern -c:v mpeg2video -q:v 5 -g 12 -t 4 -an", emptyAfterPack},
		"only its last packet's length": {
			"whole.ts", "@pattern320x240 -c:v libx264 -g 25 -t 4 -an -omit_video_pes_length 0", withinPES,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, err := os.ReadFile(media(t, c.file, c.args))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), c.file)
			if err = os.WriteFile(path, c.cut(whole), 0o600); err != nil {
				t.Fatal(err)
			}
			p := plan(t, d, open(t, path))
			if seconds := p.Info.Duration.Seconds(); !p.Damage.Truncated || seconds < 1 || seconds > 3 {
				t.Errorf("%v long, damage %+v", p.Info.Duration, p.Damage)
			}
		})
	}
}

// afterTag is the first half of an FLV file, with a whole tag at its end (Adobe FLV 10.1, E.3 and E.4.1).
func afterTag(flv []byte) []byte {
	const header, head, back = 9 + 4, 11, 4
	at := header
	for at < len(flv)/2 {
		at += head + int(binary.BigEndian.Uint32(flv[at:])&0xffffff) + back
	}
	return flv[:at]
}

// withinPES is the first half of a transport stream, up to within a picture that says how long it is (ISO/IEC 13818-1,
// 2.4.3.7): its packets of 188 bytes are all whole.
func withinPES(ts []byte) []byte {
	const packet = 188
	last := 0
	for at := 0; at < len(ts); at += packet {
		if bytes.Contains(ts[at:at+packet], []byte("\x00\x00\x01\xe0")) {
			if at > len(ts)/2 && at-last > 4*packet {
				return ts[:last+2*packet]
			}
			last = at
		}
	}
	return nil
}

// emptyAfterPack is a program stream that holds zeros from a pack in its middle on.
func emptyAfterPack(mpg []byte) []byte {
	out := bytes.Clone(mpg)
	at := len(out)/2 + bytes.Index(out[len(out)/2:], []byte("\x00\x00\x01\xba"))
	clear(out[at:])
	return out
}

// TestOnePacketOutOfTime gives one packet of a broadcast a time of two seconds before: that is no new clock.
func TestOnePacketOutOfTime(t *testing.T) {
	t.Parallel()
	ts, err := os.ReadFile(media(t, "timed.ts", "@pattern -c:v libx264 -g 12 -bf 0 -t 3 -an"))
	if err != nil {
		t.Fatal(err)
	}
	// The 60th packet of the video: its time has 33 bits in 5 bytes, with marks between them (ISO/IEC 13818-1, 2.4.3.6).
	at := 0
	for range 60 {
		at += 1 + bytes.Index(ts[at+1:], []byte("\x00\x00\x01\xe0"))
	}
	stamp := ts[at+9:][:5]
	v := int64(stamp[0]>>1&7)<<30 | int64(stamp[1])<<22 | int64(stamp[2]>>1)<<15 | int64(stamp[3])<<7 | int64(stamp[4]>>1)
	v -= 2 * 90_000
	copy(stamp, []byte{
		stamp[0]&0xf0 | byte(v>>30)<<1 | 1, byte(v >> 22), byte(v>>15)<<1 | 1, byte(v >> 7), byte(v)<<1 | 1,
	})
	path := filepath.Join(t.TempDir(), "out of time.ts")
	if err = os.WriteFile(path, ts, 0o600); err != nil {
		t.Fatal(err)
	}
	f, d := open(t, path), newDecoder(t)
	p := plan(t, d, f)
	if p.Info.Duration.Round(200*time.Millisecond) != 3*time.Second {
		t.Errorf("%v long, want 3 s", p.Info.Duration)
	}
	if shots, _ := watch(t, d, f, p, StreamOptions{}); len(shots) < 70 || len(shots) > 75 {
		t.Errorf("%d frames of 75", len(shots))
	}
}

// TestLostTimeIsMeasured zeroes the middle of a recording of 4 s, and adds up the time for which nothing can be read and the
// frames of which the decoder made up a part.
func TestLostTimeIsMeasured(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	whole, err := os.ReadFile(media(t, "steady.mkv", "@pattern -c:v mpeg4 -b:v 1M -g 25 -bf 0 -an"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "holed.mkv")
	if err = os.WriteFile(path, damages["zeroed middle"](whole), 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	p := plan(t, d, f)
	total := p.Damage
	_, stats := watch(t, d, f, p, StreamOptions{SampleRate: 5})
	for _, s := range stats {
		total.Add(s.Damage)
	}
	if least, most := 400*time.Millisecond, 2*time.Second; total.Lost < least || total.Lost > most || total.Concealed == 0 {
		t.Errorf("%+v, want %v to %v lost and a frame made up in part", total, least, most)
	}
}
