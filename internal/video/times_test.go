package video

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMissingTimes has videos of 4 s of whose packets some do not say when they are shown, which containers allow: the
// frames come all the same, and in their time. ffmpeg leaves out what it knows no time of.
func TestMissingTimes(t *testing.T) {
	t.Parallel()
	helper, tool := newDecoder(t), newTool(t)
	without := func(chosen func(n int) bool) func(*testing.T, []byte) []byte {
		return func(_ *testing.T, ts []byte) []byte { return withoutPTS(ts, chosen) }
	}
	for name, c := range map[string]struct {
		file    string
		without func(*testing.T, []byte) []byte
		by      []*Decoder
	}{
		"every second of a broadcast":        {"a.ts", without(func(n int) bool { return n%2 == 1 }), []*Decoder{helper, tool}},
		"a broadcast but for its beginning":  {"a.ts", without(func(n int) bool { return n > 30 }), []*Decoder{helper}},
		"a broadcast's beginning":            {"a.ts", without(func(n int) bool { return n < 30 }), []*Decoder{helper}},
		"all of a broadcast":                 {"a.ts", without(func(int) bool { return true }), []*Decoder{helper}},
		"pairs of a recording with an index": {"a.mkv", laced, []*Decoder{helper, tool}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(media(t, c.file, "@pattern -c:v libx264 -g 25 -bf 2"))
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), c.file)
			if err = os.WriteFile(path, c.without(t, b), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, d := range c.by {
				f := open(t, path)
				p := plan(t, d, f)
				for _, rate := range []float64{1, 5} {
					shots, stats := watch(t, d, f, p, StreamOptions{SampleRate: rate})
					var damage Damage
					for _, s := range stats {
						damage.Add(s.Damage)
					}
					seconds := p.Info.Duration.Seconds()
					if n := float64(len(shots)); n < 4*rate-2 || n > 4*rate+1 || seconds < 3.9 || seconds > 4.2 || damage != (Damage{}) {
						t.Errorf("%v frames of %v in %v s, %+v", n, 4*rate, seconds, damage)
					}
				}
			}
		})
	}
}

// withoutPTS takes the times from the packets of a transport stream's video that are chosen by their number (ISO/IEC
// 13818-1, 2.4.3.7): the flags say that there are none, and stuffing stands in their place.
func withoutPTS(ts []byte, chosen func(n int) bool) []byte {
	out := bytes.Clone(ts)
	n := 0
	for at := 0; ; n++ {
		i := bytes.Index(out[at:], []byte("\x00\x00\x01\xe0"))
		if i < 0 {
			return out
		}
		head := out[at+i:]
		at += i + 4
		if !chosen(n) {
			continue
		}
		head[7] &= 0x3f
		for k := range head[9 : 9+head[8]] {
			head[9+k] = 0xff
		}
	}
}

// laced puts every second frame of a Matroska file into the block of the one before (RFC 9559, 10.3), which has one time for
// both, and takes the track's frame rate away. All else keeps its place.
func laced(t *testing.T, mkv []byte) []byte {
	t.Helper()
	const block, track, void = 0xa3, 0x81, 0xec
	out := bytes.Clone(mkv)
	if at := bytes.Index(out, []byte("\x23\xe3\x83\x84")); at >= 0 { // DefaultDuration, of 4 bytes
		copy(out[at:], []byte{void, 0x86})
	} else {
		t.Fatal("no frame rate to take away")
	}
	length := func(at int) (size, n int) { // of a block that begins at a byte; 0 if none does
		if at+2 >= len(out) || out[at] != block {
			return 0, 0
		}
		value, bytes := ebmlNumber(sliceReader(out), int64(at+1), false)
		if at += 1 + int(bytes); value < 4 || at+int(value) > len(out) || out[at] != track {
			return 0, 0
		}
		return int(value), int(bytes)
	}
	blocks, pairs := 0, 0
	for at := bytes.Index(out, []byte("\x1f\x43\xb6\x75")); at < len(out); at++ {
		size, n := length(at)
		if n == 0 {
			continue
		}
		second := at + 1 + n + size
		more, m := length(second)
		if blocks++; m == 0 || blocks < 10 { // a plan looks at the first ones
			at = second - 1
			continue
		}
		head, one := slices.Clone(out[at+1+n:][:4]), slices.Clone(out[at+1+n+4:][:size-4])
		two, end := slices.Clone(out[second+1+m+4:][:more-4]), second+1+m+more
		head[3] |= 6 // lacing as EBML has it
		content := slices.Concat(head, []byte{1}, binary.BigEndian.AppendUint16(nil, uint16(1<<14|len(one))), one, two)
		for _, width := range []int{2, 3, 4} { // of the length: so that what is left is nothing, or room for a void element
			left := end - at - 1 - width - len(content)
			if left != 0 && left < 2 || len(content) >= 1<<(7*width) {
				continue
			}
			size := binary.BigEndian.AppendUint32(nil, uint32(1<<(7*width)|len(content)))[4-width:]
			filled := slices.Concat([]byte{block}, size, content)
			if left > 0 {
				filled = slices.Concat(filled, []byte{void, byte(0x80 | (left - 2))}, make([]byte, left-2))
			}
			copy(out[at:end], filled)
			pairs++
			break
		}
		at = end - 1
	}
	if pairs < 20 {
		t.Fatalf("%d pairs", pairs)
	}
	return out
}

type sliceReader []byte

// ReadAt implements [io.ReaderAt].
func (r sliceReader) ReadAt(b []byte, at int64) (int, error) {
	return copy(b, r[min(int(at), len(r)):]), nil
}
