package engine

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// heicLimits are those of a HEIC file that is enrolled, with the real decoder.
func heicLimits(t *testing.T) photo.Limits {
	t.Helper()
	c := config.Default()
	c.Helper = "../../bin/spotter-decode"
	if _, err := os.Stat(string(c.Helper)); err != nil {
		t.Skip("no decoder: 'make build' makes it")
	}
	d, err := OpenDecoder(c)
	if err != nil {
		t.Fatal(err)
	}
	limits := photo.DefaultLimits()
	limits.HEVC = frames(t.Context(), d)
	return limits
}

// drawnHEIC codes a drawing of 300 x 200 pixels and returns the file's content and the drawing.
func drawnHEIC(t *testing.T, h media.HEIC) (content []byte, drawing *face.Picture) {
	t.Helper()
	h.Width, h.Height = 300, 200
	folder := t.TempDir()
	png, heic := filepath.Join(folder, "drawing.png"), filepath.Join(folder, "photo.heic")
	err := media.FFmpeg(t.Context(), "-f", "lavfi", "-i", "gradients=size=300x200:c0=red:c1=yellow:c2=blue:n=3:seed=7,format=rgb24",
		"-frames:v", "1", png)
	if err == nil {
		err = h.Write(t.Context(), png, heic)
	}
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.ReadFile(png)
	if err == nil {
		drawing, err = photo.Decode(bytes.NewReader(plain), photo.DefaultLimits())
	}
	if err == nil {
		content, err = os.ReadFile(heic)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content, drawing
}

// TestHEICPhotosAreRead decodes what is coded as phones do it, pixel by pixel.
func TestHEICPhotosAreRead(t *testing.T) {
	t.Parallel()
	limits := heicLimits(t)
	for name, h := range map[string]media.HEIC{
		"one picture": {}, "tiles that end with it": {Tile: 100}, "tiles that end beyond it": {Tile: 64},
		"on its side": {Quarters: 1}, "tiles on their head": {Tile: 128, Quarters: 2}, "on its other side": {Quarters: 3},
		"a camera's colours": {Broadcast: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, drawing := drawnHEIC(t, h)
			have, err := photo.Decode(bytes.NewReader(content), limits)
			if err != nil {
				t.Fatal(err)
			}
			want := photo.Turned(drawing, -h.Quarters)
			if d := difference(have, want); d > 2 {
				t.Errorf("%d x %d pixels, off by %.1f levels; want %d x %d", have.Width, have.Height, d, want.Width, want.Height)
			}
		})
	}
}

// difference is the mean difference of two RGB pictures in levels.
func difference(a, b *face.Picture) float64 {
	if a.Width != b.Width || a.Height != b.Height {
		return math.Inf(1)
	}
	sum := 0.0
	for i, v := range a.Planes[0] {
		sum += math.Abs(float64(v) - float64(b.Planes[0][i]))
	}
	return sum / float64(len(a.Planes[0]))
}

// TestDamagedHEICPhotosAreRefused cuts a photo off and changes it here and there: it is read or refused with a sentence.
func TestDamagedHEICPhotosAreRefused(t *testing.T) {
	t.Parallel()
	limits := heicLimits(t)
	content, _ := drawnHEIC(t, media.HEIC{Tile: 128})
	var cases [][]byte
	for i := 12; i < len(content); i += len(content) / 12 {
		changed := bytes.Clone(content)
		changed[i] ^= 0xff
		cases = append(cases, content[:i], changed)
	}
	for i, c := range cases {
		_, err := photo.Decode(bytes.NewReader(c), limits)
		if refusal := (*photo.Error)(nil); err != nil && !errors.As(err, &refusal) {
			t.Errorf("case %d: %v", i, err)
		}
		if err == nil && len(c) < len(content) {
			t.Errorf("case %d: %d of %d bytes are taken for the whole", i, len(c), len(content))
		}
	}
}

// TestLyingHEICPhotosAreRefused changes what a photo says of itself, or what the decoder gives of it.
func TestLyingHEICPhotosAreRefused(t *testing.T) {
	t.Parallel()
	limits := heicLimits(t)
	content, _ := drawnHEIC(t, media.HEIC{Tile: 128})
	ispe := func(w, h byte) []byte {
		return []byte{'i', 's', 'p', 'e', 0, 0, 0, 0, 0, 0, w >> 7, w << 1, 0, 0, 0, h}
	} // w in pairs
	grid := func(w, h byte) []byte { return []byte{0, 0, 1, 2, w >> 7, w << 1, 0, h} }
	whole, tile := ispe(150, 200), ispe(64, 128)
	for _, part := range [][]byte{whole, tile, grid(150, 200)} {
		if bytes.Count(content, part) != 1 {
			t.Fatalf("%d times % x: this tests nothing", bytes.Count(content, part), part)
		}
	}
	change := func(pairs ...[]byte) []byte {
		out := content
		for i := 0; i < len(pairs); i += 2 {
			out = bytes.ReplaceAll(out, pairs[i], pairs[i+1])
		}
		return out
	}
	for name, c := range map[string][]byte{
		"larger than its tiles":         change(whole, ispe(250, 200), grid(150, 200), grid(250, 200)),
		"tiles beside it":               change(whole, ispe(60, 100), grid(150, 200), grid(60, 100)),
		"tiles smaller than their data": change(tile, ispe(32, 64), whole, ispe(75, 100), grid(150, 200), grid(75, 100)),
		"fewer tiles than the grid has": change([]byte("dimg\x03\xe8\x00\x06"), []byte("dimg\x03\xe8\x00\x05")),
		"zeros within a tile":           append(bytes.Clone(content[:len(content)-200]), make([]byte, 200)...),
		"a tile of no unit":             change([]byte("hvc1\x00"), []byte("none\x00")),
	} {
		if bytes.Equal(c, content) {
			t.Fatalf("%s: nothing is changed", name)
		}
		_, err := photo.Decode(bytes.NewReader(c), limits)
		if refusal := (*photo.Error)(nil); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	decode := limits.HEVC
	for _, more := range []int{-1, 1} {
		limits.HEVC = func(stream []byte, n int, each func(int, *face.Picture) error) error {
			return decode(stream, n+more, each)
		}
		if _, err := photo.Decode(bytes.NewReader(content), limits); err == nil {
			t.Errorf("%d frames more than there are: read", more)
		}
	}
}
