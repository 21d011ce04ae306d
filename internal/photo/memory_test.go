package photo

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// bigSide is the width of photos that memory is measured with; what does not grow with them hides behind it.
const bigSide = 1024

// blackPNG is a black PNG of a colour type and depth, whole or interlaced (PNG specification, 8.2).
func blackPNG(width, height int, colour, depth byte, interlaced bool, extra ...[]byte) []byte {
	samples := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
	var raw bytes.Buffer
	z := zlib.NewWriter(&raw)
	rows := func(w, h int) {
		if w > 0 {
			row := make([]byte, 1+(w*samples*int(depth)+7)/8)
			for range h {
				_, _ = z.Write(row)
			}
		}
	}
	header := pngHeader(uint32(width), uint32(height))[len(pngMagic)+8:][:13]
	header = slices.Clone(header)
	header[8], header[9], header[12] = depth, colour, 0
	if !interlaced {
		rows(width, height)
	} else {
		header[12] = 1
		for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			rows((width-p[0]+p[2]-1)/p[2], (height-p[1]+p[3]-1)/p[3])
		}
	}
	_ = z.Close()
	return slices.Concat([]byte(pngMagic), chunk("IHDR", header), slices.Concat(extra...), chunk("IDAT", raw.Bytes()), chunk("IEND", nil))
}

// enlarged is a JPEG whose header says that it is large: its decoder takes all the memory for that, and finds that data is
// missing.
func enlarged(jpeg []byte, width, height int) []byte {
	out := bytes.Clone(jpeg)
	for _, sof := range []byte{0xc0, 0xc1, 0xc2} {
		if at := bytes.Index(out, []byte{0xff, sof}); at >= 0 {
			binary.BigEndian.PutUint16(out[at+5:], uint16(height))
			binary.BigEndian.PutUint16(out[at+7:], uint16(width))
		}
	}
	return out
}

func bigJPEG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestNeedIsWhatIsTaken reads photos of every kind and compares what is allocated for it with what is set aside before. It
// does not run beside others.
func TestNeedIsWhatIsTaken(t *testing.T) { //nolint:paralleltest // counts what the whole process allocates
	whole := image.Rect(0, 0, bigSide, bigSide)
	palette, clearRGB, clearGrey := chunk("PLTE", make([]byte, 3)), chunk("tRNS", make([]byte, 6)), chunk("tRNS", make([]byte, 2))
	photos := map[string][]byte{
		"grey JPEG":            bigJPEG(t, image.NewGray(whole)),
		"JPEG":                 bigJPEG(t, image.NewYCbCr(whole, image.YCbCrSubsampleRatio420)),
		"progressive JPEG":     enlarged(read(t, "testdata/progressive-2x2.jpg"), bigSide, bigSide),
		"progressive JPEG 444": enlarged(read(t, "testdata/progressive-444.jpg"), bigSide, bigSide),
		"JPEG 444":             bigJPEG(t, image.NewYCbCr(whole, image.YCbCrSubsampleRatio444)),
		"rgb-adobe JPEG":       enlarged(read(t, "testdata/rgb-adobe.jpg"), bigSide, bigSide),
	}
	for _, interlaced := range []bool{false, true} {
		for _, k := range []struct {
			name          string
			colour, depth byte
			extra         []byte
		}{
			{"grey 1", 0, 1, nil},
			{"grey 8", 0, 8, nil},
			{"grey 16", 0, 16, nil},
			{"grey 8 with a clear colour", 0, 8, clearGrey},
			{"RGB 8", 2, 8, nil},
			{"RGB 16", 2, 16, nil},
			{"RGB 16 with a clear colour", 2, 16, clearRGB},
			{"palette", 3, 8, palette},
			{"grey and alpha 8", 4, 8, nil},
			{"grey and alpha 16", 4, 16, nil},
			{"RGBA 8", 6, 8, nil},
			{"RGBA 16", 6, 16, nil},
		} {
			photos[fmt.Sprintf("PNG %s, interlaced: %v", k.name, interlaced)] = blackPNG(bigSide, bigSide, k.colour, k.depth, interlaced, k.extra)
		}
	}
	for name, args := range map[string][]string{
		"WebP":                  {"-f", "lavfi", "-i", "testsrc2=size=1024x1024", "-frames:v", "1", "-c:v", "libwebp"},
		"WebP, lossless":        {"-f", "lavfi", "-i", "testsrc2=size=1024x1024", "-frames:v", "1", "-c:v", "libwebp", "-lossless", "1"},
		"WebP with alpha":       {"-f", "lavfi", "-i", "testsrc2=size=1024x1024,format=yuva420p", "-frames:v", "1", "-c:v", "libwebp"},
		"WebP with few colours": {"-f", "lavfi", "-i", "color=red:size=1024x1024", "-frames:v", "1", "-c:v", "libwebp", "-lossless", "1"},
	} {
		path := filepath.Join(t.TempDir(), "a.webp")
		if err := exec.CommandContext(t.Context(), "ffmpeg", append(append([]string{"-v", "error"}, args...), path)...).Run(); err != nil {
			t.Logf("no %s here: %v", name, err)
			continue
		}
		photos[name] = read(t, path)
	}
	limits := DefaultLimits()
	limits.WebP = true
	for name, data := range photos {
		n := needOf(data, limits)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := decodeWhole(data, limits)
		runtime.ReadMemStats(&after)
		taken := int64(after.TotalAlloc - before.TotalAlloc)
		if refusal := (*Error)(nil); err != nil && (!errors.As(err, &refusal) || refusal.Kind != Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			taken += 3 * n.pixels
		}
		t.Logf("%-45s %5.2f of %5.2f bytes a pixel, %v", name, float64(taken)/float64(n.pixels), float64(n.all())/float64(n.pixels), err)
		if least := n.all() / 2; n.pixels != bigSide*bigSide || taken > n.all() || taken < least {
			t.Errorf("%s: took %d MB, and %d MB were set aside", name, taken>>20, n.all()>>20)
		}
	}
}

// TestMemoryIsShared reads photos side by side in the room of one: none is decoded before the one before it is done with.
func TestMemoryIsShared(t *testing.T) {
	t.Parallel()
	data := blackPNG(400, 400, 6, 16, true)
	room := needOf(data, DefaultLimits()).all()
	m := NewMemory(room)
	var inside, done atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			p, give, err := m.Decode(t.Context(), data, DefaultLimits(), int(room/(3*400*400))-1) // which keeps all of it
			if err != nil || p.Width != 400 {
				t.Error(err)
				return
			}
			if n := inside.Add(1); n > 1 {
				t.Errorf("%d photos at once", n)
			}
			inside.Add(-1)
			done.Add(1)
			give()
		})
	}
	group.Wait()
	if done.Load() != 8 {
		t.Errorf("%d photos of 8", done.Load())
	}
	_, give, err := m.Decode(t.Context(), data, DefaultLimits(), int(room/(3*400*400))-1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = m.Decode(ctx, data, DefaultLimits(), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for room and got %v", err)
	}
	give()
	// What is refused gives its room back; and so does the photo that fits.
	for range 3 {
		if _, _, err = m.Decode(t.Context(), data[:len(data)-100], DefaultLimits(), 0); err == nil {
			t.Fatal("half a photo was read")
		}
	}
	if _, give, err = m.Decode(t.Context(), data, DefaultLimits(), 0); err != nil {
		t.Fatal(err)
	}
	give()
	if !m.free.TryAcquire(room) {
		t.Error("room was lost")
	}
}

// TestTooMuchMemoryIsRefused has a photo that needs more than there is: nothing of it is decoded.
func TestTooMuchMemoryIsRefused(t *testing.T) { //nolint:paralleltest // counts what the whole process allocates
	data := blackPNG(bigSide, bigSide, 6, 16, true)
	m := NewMemory(needOf(data, DefaultLimits()).all() - 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := m.Decode(t.Context(), data, DefaultLimits(), 0)
	runtime.ReadMemStats(&after)
	refusal := (*Error)(nil)
	if !errors.As(err, &refusal) || refusal.Kind != TooLarge || !strings.Contains(refusal.Message, "MB of memory") {
		t.Errorf("error %v", err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 1<<20 {
		t.Errorf("took %d MB to refuse", taken>>20)
	}
}

// TestNeedCannotBeHidden stores large photos in odd ways that are read all the same: they take what they take.
func TestNeedCannotBeHidden(t *testing.T) {
	t.Parallel()
	png, jpg := blackPNG(200, 200, 6, 16, true), read(t, "testdata/progressive-444.jpg")
	within := func(data []byte, at int, more ...byte) []byte { return slices.Concat(data[:at], more, data[at:]) }
	second := 4 + int(binary.BigEndian.Uint16(jpg[4:])) // segment
	rgb := read(t, "testdata/rgb-adobe.jpg")
	adobe := bytes.Index(rgb, []byte{0xff, markerAPP14})
	segment := rgb[adobe : adobe+2+int(binary.BigEndian.Uint16(rgb[adobe+2:]))]
	late := withoutAdobe(rgb)
	late = within(late, bytes.Index(late, []byte{0xff, markerSOS}), segment...)
	for name, c := range map[string]struct{ plain, odd []byte }{
		"text before a PNG's header":          {png, within(png, len(pngMagic), chunk("tEXt", []byte("a\x00b"))...)},
		"rubbish before a JPEG's header":      {jpg, within(jpg, second, 1, 2, 3)},
		"fill before a JPEG's header":         {jpg, within(jpg, second, 0xff, 0xff)},
		"data before a JPEG's header":         {jpg, within(jpg, second, 0xff, 0x00, 0xff, 0xd3)},
		"colours that are told behind a size": {rgb, late},
	} {
		limits := DefaultLimits()
		if _, err := decodeWhole(c.odd, limits); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if plain, odd := needOf(c.plain, limits), needOf(c.odd, limits); odd.pixels != plain.pixels || odd.decoded != plain.decoded {
			t.Errorf("%s: %+v instead of %+v", name, odd, plain)
		}
	}
}

// FuzzNeed goes by any header: the need is never negative, and nothing for what no limit admits.
func FuzzNeed(f *testing.F) {
	for _, data := range [][]byte{blackPNG(20, 20, 6, 16, true), read(f, "testdata/cmyk-adobe.jpg"), webpPhoto(), madeHEIC()} {
		f.Add(data)
	}
	limits := DefaultLimits()
	limits.WebP, limits.HEVC = true, unread(64, 64)
	f.Fuzz(func(t *testing.T, data []byte) {
		if n := needOf(data, limits); n.pixels < 0 || n.pixels > int64(limits.Pixels) || n.decoded < 0 || n.other < 0 || n.all() < 0 {
			t.Errorf("%+v", n)
		}
	})
}
