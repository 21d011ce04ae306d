package wire

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var rewrite = flag.Bool("rewrite", false, "write the goldens anew")

// examples has one of every message, with every field set.
func examples() []Message {
	return []Message{
		&Request{
			Task: TaskDecode, Container: Matroska, Strict: true, Memory: 512 << 20, CPUSeconds: 120, MaxPixels: 36e6,
			GOPPackets: 600, GOPBytes: 64 << 20, Base: 40, RawRate: 25000, Cut: true, Lazy: true, Spacing: 30e9, Stream: 1, Untimed: true,
			Segment: Segment{From: -5, To: End, Seek: SeekByte, KeyTime: 77, SeekPos: 99, Shift: -3, Begin: 8, Stop: 9000},
			Clock:   Clock{Num: 1, Den: 90000, Origin: 1400, First: 126000}, Rate: 5,
			Slots: 4, MaxTime: 21600e9, Until: 9e5,
		},
		&Release{Slot: 3},
		&Ready{Landlock: 6, Seccomp: true, Limits: true},
		&Info{
			Codec: MakeText("h264"), Format: MakeText("QuickTime / MOV"), Stream: 2, Clock: Clock{Num: 1, Den: 12800, First: 10},
			Geometry: Geometry{Width: 640, Height: 360}, Duration: 10e9, RateNum: 30000, RateDen: 1001, FullRange: true,
			Interlaced: true, Deep: true, Untimed: true, Skewed: true, Seek: SeekTime, Stop: 1e6, Until: 9e5, Videos: 2, Video: [MaxVideos]int32{2, 4},
		},
		&Cut{From: 12800, KeyTime: 12800, SeekPos: 4096, Shift: 5, Begin: 188},
		&Frame{Slot: 1, Width: 1920, Height: 1080, Time: 852018685, Matrix: 1, FullRange: true},
		&Done{Packets: 1, Sent: 2, Decoded: 3, Delivered: 4, Errors: 5, Missing: 6, Backwards: 7, Corrupt: 8, Concealed: 9, Lost: 10, Clocks: true, Truncated: true, TooLong: true},
		&Failure{Reason: ReasonCodec, Detail: MakeText("no decoder"), Codec: MakeText("theora")},
		&Want{From: Window, To: 2 * Window},
		&Have{From: Window, To: 5*Window + 3},
	}
}

// TestMessagesAsBytes keeps the form of the messages: a change needs a new Version.
func TestMessagesAsBytes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, m := range examples() {
		data, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > MaxMessage {
			t.Errorf("%T has %d bytes", m, len(data))
		}
		fmt.Fprintf(&b, "%T\n%s", m, hex.Dump(data))
		back, err := Decode(data)
		if diff := cmp.Diff(m, back); err != nil || diff != "" {
			t.Errorf("%T: %v %s", m, err, diff)
		}
	}
	golden := filepath.Join("testdata", "messages.golden")
	if *rewrite {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("messages have another form (go test -rewrite, and a new Version): %s", diff)
	}
}

func TestDamagedMessages(t *testing.T) {
	t.Parallel()
	good, err := Encode(&Ready{Landlock: 6, Seccomp: true, Limits: true})
	if err != nil {
		t.Fatal(err)
	}
	change := func(i int, v byte) []byte {
		b := bytes.Clone(good)
		b[i] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "short": good[:3], "cut": good[:len(good)-1], "long": append(bytes.Clone(good), 0),
		"version": change(0, Version+1), "kind 0": change(1, 0), "kind 99": change(1, 99), "length": change(2, 1),
		"true that is not one": change(len(good)-1, 2),
	} {
		if m, err := Decode(b); err == nil {
			t.Errorf("%s: decoded as %T", name, m)
		}
	}
}

// FuzzControlMessage decodes arbitrary packets: whatever is accepted must have exactly one form.
func FuzzControlMessage(f *testing.F) {
	for _, m := range examples() {
		b, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(m)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x became %x, %v", b, again, err)
		}
		if i, ok := m.(*Info); ok && i.Check(36e6) == nil {
			i.Geometry.Layout()
		}
	})
}

// TestLayoutFits checks that planes of any picture lie in the slot, apart from each other, with room after each.
func TestLayoutFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.OneOf(rapid.Int32Range(1, 9000), rapid.Int32Range(maxSide-9, maxSide), rapid.Int32Range(1, 9))
		g := Geometry{Width: side.Draw(t, "width"), Height: side.Draw(t, "height")}
		l := g.Layout()
		planes := l.Full[:]
		if g.HasSmall() {
			planes = append(planes, l.Small[:]...)
			if w, h := g.Small(); max(w, h) != SmallSide || min(w, h) < 1 {
				t.Fatalf("small %d x %d", w, h)
			}
		}
		if most := SlotSize(int64(g.Width) * int64(g.Height)); l.Size > most {
			t.Fatalf("%d bytes do not fit into a slot of %d", l.Size, most)
		}
		end := 0
		for _, p := range planes {
			if p.Offset < end || p.Offset%align != 0 || p.Stride%align != 0 || p.Stride < p.Width {
				t.Fatalf("plane %+v after %d", p, end)
			}
			end = p.Offset + p.Stride*p.Height + align
		}
		if end > l.Size || l.Size%page != 0 {
			t.Fatalf("%d bytes end at %d", l.Size, end)
		}
	})
}

func TestSquare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height, num, den int
		w, h                    float64
	}{
		{720, 576, 16, 11, 1047, 576},
		{720, 480, 8, 9, 720, 540},
		{640, 360, 0, 1, 640, 360},
		{641, 359, 22976, 23076, 641, 359},
		{640, 360, 65535, 1, 640, 360},
		{640, 360, 1, 65535, 640, 360},
		{640, 360, -4, 3, 640, 360},
	} {
		if w, h := Square(c.width, c.height, c.num, c.den); w != c.w || h != c.h {
			t.Errorf("%d x %d of %d:%d: %v x %v, want %v x %v", c.width, c.height, c.num, c.den, w, h, c.w, c.h)
		}
	}
}

func TestWantIsOneWindow(t *testing.T) {
	t.Parallel()
	const size = 3*Window + 5
	for _, c := range []struct {
		want Want
		good bool
	}{
		{Want{0, Window}, true},
		{Want{2 * Window, 3 * Window}, true},
		{Want{3 * Window, size}, true},
		{Want{3 * Window, 4 * Window}, false},
		{Want{0, 2 * Window}, false},
		{Want{0, 1}, false},
		{Want{1, Window + 1}, false},
		{Want{-Window, 0}, false},
		{Want{Window, Window}, false},
		{Want{4 * Window, 5 * Window}, false},
		{Want{Window, -1}, false},
		{Want{1<<63 - Window, 1<<63 - 1}, false},
	} {
		if err := c.want.Check(size); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.want, err)
		}
	}
}
