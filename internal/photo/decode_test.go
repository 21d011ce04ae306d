package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// quadrants are the colours of the test pictures in testdata: top left, top right, bottom left, bottom right.
var quadrants = [4][3]byte{{230, 30, 30}, {30, 200, 40}, {30, 40, 220}, {128, 128, 128}}

var grey = func() (g [4][3]byte) {
	for i, c := range quadrants {
		y, _, _ := color.RGBToYCbCr(c[0], c[1], c[2])
		g[i] = [3]byte{y, y, y}
	}
	return g
}()

func TestDecodeReadsEveryKindOfFile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file string
		want [4][3]byte
	}{
		{"baseline-1x1.jpg", quadrants},
		{"baseline-2x1.jpg", quadrants},
		{"baseline-1x2.jpg", quadrants},
		{"baseline-4x1.jpg", quadrants},
		{"baseline-2x2.jpg", quadrants},
		{"progressive-2x2.jpg", quadrants},
		{"progressive-444.jpg", quadrants},
		{"restart.jpg", quadrants},
		{"rgb-adobe.jpg", quadrants},
		{"cmyk-adobe.jpg", quadrants},
		{"grey.jpg", grey},
		{"palette.png", quadrants},
		{"interlaced.png", quadrants},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			pic := decodeFile(t, filepath.Join("testdata", tc.file))
			checkQuadrants(t, pic, tc.want, 6) // JPEG quality 90 moves a flat colour by a few steps
		})
	}
}

func TestDecodeReadsEveryPixelTypeOfPNG(t *testing.T) {
	t.Parallel()
	const w, h = 90, 83
	c := color.NRGBA{200, 100, 40, 255}
	bounds := image.Rect(0, 0, w, h)
	for name, tc := range map[string]struct {
		img  interface{ Set(x, y int, c color.Color) }
		c    color.Color
		want [3]byte
	}{
		"rgb":               {image.NewRGBA(bounds), c, [3]byte{200, 100, 40}},
		"rgb 16 bit":        {image.NewRGBA64(bounds), color.RGBA64{0xfffe, 0x8000, 0x00ff, 0xffff}, [3]byte{255, 128, 1}},
		"grey":              {image.NewGray(bounds), color.Gray{77}, [3]byte{77, 77, 77}},
		"grey 16 bit":       {image.NewGray16(bounds), color.Gray16{0x1234}, [3]byte{18, 18, 18}},
		"alpha over white":  {image.NewNRGBA(bounds), color.NRGBA{200, 100, 0, 128}, [3]byte{227, 177, 127}},
		"fully transparent": {image.NewNRGBA(bounds), color.NRGBA{1, 2, 3, 0}, [3]byte{255, 255, 255}},
		"alpha 16 bit":      {image.NewNRGBA64(bounds), color.NRGBA64{0xffff, 0, 0, 0x8080}, [3]byte{255, 127, 127}},
		"palette with alpha": {
			image.NewPaletted(bounds, color.Palette{color.Black, color.NRGBA{0, 0, 0, 51}}),
			color.NRGBA{0, 0, 0, 51},
			[3]byte{204, 204, 204},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for y := range h {
				for x := range w {
					tc.img.Set(x, y, tc.c)
				}
			}
			img, ok := tc.img.(image.Image)
			if !ok {
				t.Fatal("not an image")
			}
			pic := decode(t, encodePNG(t, img))
			if pic.Width != w || pic.Height != h {
				t.Fatalf("size %d x %d, want %d x %d", pic.Width, pic.Height, w, h)
			}
			if got := pixel(pic, w/2, h/2); got != tc.want {
				t.Errorf("pixel %v, want %v", got, tc.want)
			}
		})
	}
}

// TestDecodeAgreesWithTheStandardLibrary holds the direct conversions against image.Image.At, pixel for pixel.
func TestDecodeAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.*g")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data := read(t, file)
		img, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			continue // what the library does not read, Spotter does not either
		}
		pic := decode(t, data)
		for y := range pic.Height {
			for x := range pic.Width {
				c, ok := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				if got := pixel(pic, x, y); !ok || got != [3]byte{c.R, c.G, c.B} {
					t.Fatalf("%s: pixel (%d,%d) is %v, the library says %v", file, x, y, got, c)
				}
			}
		}
	}
}

func TestDecodeAppliesOrientation(t *testing.T) {
	t.Parallel()
	upright := decodeFile(t, "testdata/baseline-1x1.jpg")
	stored := map[int]func(x, y int) (int, int){ // where upright pixel (x,y) of a w x h picture is stored
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return 95 - x, y },
		3: func(x, y int) (int, int) { return 95 - x, 79 - y },
		4: func(x, y int) (int, int) { return x, 79 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, 95 - x },
		7: func(x, y int) (int, int) { return 79 - y, 95 - x },
		8: func(x, y int) (int, int) { return 79 - y, x },
	}
	for orientation, at := range stored {
		w, h := 96, 80
		if orientation >= 5 {
			w, h = 80, 96
		}
		img := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range 80 {
			for x := range 96 {
				sx, sy := at(x, y)
				p := pixel(upright, x, y)
				img.Set(sx, sy, color.RGBA{p[0], p[1], p[2], 255})
			}
		}
		pic := decode(t, insertAfterIHDR(encodePNG(t, img), "eXIf", tiffOrientation(binary.BigEndian, orientation)))
		if !bytes.Equal(pic.Planes[0], upright.Planes[0]) || pic.Width != 96 || pic.Height != 80 {
			t.Errorf("orientation %d: the picture is not upright", orientation)
		}
		if err := pic.Check(); err != nil {
			t.Errorf("orientation %d: %v", orientation, err)
		}
	}
}

func TestOrientationIsOneUnlessValid(t *testing.T) {
	t.Parallel()
	plain := read(t, "testdata/baseline-2x2.jpg")
	for name, tc := range map[string]struct {
		exif []byte
		want image.Point // size
	}{
		"little endian":  {tiffOrientation(binary.LittleEndian, 6), image.Pt(80, 96)},
		"big endian":     {tiffOrientation(binary.BigEndian, 8), image.Pt(80, 96)},
		"zero":           {tiffOrientation(binary.BigEndian, 0), image.Pt(96, 80)},
		"nine":           {tiffOrientation(binary.BigEndian, 9), image.Pt(96, 80)},
		"cut off":        {tiffOrientation(binary.BigEndian, 6)[:15], image.Pt(96, 80)},
		"no TIFF header": {[]byte("nonsense"), image.Pt(96, 80)},
		"nothing":        {nil, image.Pt(96, 80)},
		"endless offset": {append([]byte("II*\x00\xff\xff\xff\xff"), make([]byte, 20)...), image.Pt(96, 80)},
	} {
		segment := append([]byte("Exif\x00\x00"), tc.exif...)
		app1 := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2))...)
		pic := decode(t, slices.Concat(plain[:2], app1, segment, plain[2:]))
		if got := image.Pt(pic.Width, pic.Height); got != tc.want {
			t.Errorf("%s: size %v, want %v", name, got, tc.want)
		}
	}
}

// manyDirectories is EXIF whose first directory points at 2,400 others, all of them the same 65,000 entries.
func manyDirectories() []byte {
	const others, entries = 2400, 65_000
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x4a\x00\x04\x00\x00\x09\x60\x00\x00\x00\x1a\x00\x00\x00\x00")
	for range others {
		b = binary.BigEndian.AppendUint32(b, 26+4*others)
	}
	b = binary.BigEndian.AppendUint16(b, entries)
	return append(b, bytes.Repeat([]byte("\x01\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00\x00"), entries)...)
}

func TestOrientationWalksFewDirectories(t *testing.T) {
	t.Parallel()
	data := insertAfterIHDR(read(t, "testdata/palette.png"), "eXIf", manyDirectories())
	start := time.Now()
	decode(t, data)
	// 156 million entries would take ten seconds and more; a few directories take none that a person notices.
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	small := encodePNG(t, image.NewGray(image.Rect(0, 0, 79, 200)))
	wide := encodePNG(t, image.NewGray(image.Rect(0, 0, 10_001, 80)))
	jpg := read(t, "testdata/baseline-2x2.jpg")
	pngFile := read(t, "testdata/palette.png")
	flipped := slices.Clone(pngFile)
	flipped[len(flipped)/2] ^= 0xff
	for name, tc := range map[string]struct {
		data []byte
		kind Kind
		says string
	}{
		"nothing":           {nil, Format, "empty"},
		"noise":             {[]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 0xfe}, Format, "neither a JPEG nor a PNG"},
		"WebP":              {[]byte("RIFF\x10\x00\x00\x00WEBPVP8 "), Format, "a WebP image; Spotter reads JPEG and PNG"},
		"BMP":               {[]byte("BM\x00\x00"), Format, "a BMP image"},
		"TIFF":              {[]byte("II*\x00\x08\x00"), Format, "a TIFF"},
		"GIF":               {[]byte("GIF89a"), Format, "a GIF image"},
		"HEIC":              {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), Format, "heif-convert"},
		"AVIF":              {[]byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00"), Format, "an AVIF image"},
		"MP4":               {[]byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00"), Format, "an MP4 or MOV video"},
		"PDF":               {[]byte("%PDF-1.7"), Format, "a PDF document"},
		"SVG":               {[]byte("<?xml version=\"1.0\"?><svg width='4'/>"), Format, "an SVG drawing"},
		"web page":          {[]byte("<!DOCTYPE html><html>"), Format, "a web page"},
		"text":              {[]byte("Grüße, dies ist ein Brief"), Format, "a text file"},
		"long text":         {[]byte(strings.Repeat("é", 1000)), Format, "a text file"},
		"LFS pointer":       {[]byte("version https://git-lfs.github.com/spec/v1\n"), Format, "git lfs pull"},
		"arithmetic JPEG":   {read(t, "testdata/arithmetic.jpg"), Format, "save it again"},
		"JPEG head":         {jpg[:20], Corrupt, "cut off"},
		"half a JPEG":       {jpg[:len(jpg)/2], Corrupt, ""},
		"JPEG without data": {jpg[:len(jpg)-60], Corrupt, "cut off"},
		"half a PNG":        {pngFile[:len(pngFile)/2], Corrupt, "cut off"},
		"PNG head":          {pngFile[:9], Corrupt, "cut off"},
		"damaged PNG":       {flipped, Corrupt, "damaged"},
		"too few pixels":    {small, TooSmall, "79 x 200 pixels; both sides need at least 80"},
		"too wide":          {wide, TooLarge, "at most 10000"},
		"too many pixels":   {pngHeader(9000, 9000), TooLarge, "more than 70 million"},
		"absurd size":       {pngHeader(1<<31-1, 1<<31-1), TooLarge, "2147483647 x 2147483647"},
		"negative size":     {pngHeader(1<<32-1, 100), TooLarge, ""},
		"too many bytes":    {make([]byte, 15<<20+1), TooLarge, "larger than 15 MB"},
		"many-scan JPEG":    {manyScans(read(t, "testdata/progressive-2x2.jpg"), 200), Format, "scans"},
		"CMYK without mark": {withoutAdobe(read(t, "testdata/cmyk-adobe.jpg")), Format, "save it again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pic, err := Decode(bytes.NewReader(tc.data), DefaultLimits())
			var refusal *Error
			if !errors.As(err, &refusal) || pic != nil {
				t.Fatalf("picture %v, error %v, want a refusal", pic != nil, err)
			}
			if refusal.Kind != tc.kind || !strings.Contains(refusal.Error(), tc.says) {
				t.Errorf("%v: %v, want %v: ...%s...", refusal.Kind, refusal, tc.kind, tc.says)
			}
		})
	}
}

func TestDecodeForgivesWhatIsNoPartOfThePicture(t *testing.T) {
	t.Parallel()
	jpg, pngFile := read(t, "testdata/baseline-2x2.jpg"), read(t, "testdata/palette.png")
	progressive := read(t, "testdata/progressive-2x2.jpg")
	wrong := insertAfterIHDR(pngFile, "tEXt", []byte("Comment\x00edited"))
	wrong[8+25+8+3]++ // a letter of the text, so that its checksum is wrong
	for name, tc := range map[string]struct{ data, want []byte }{
		"JPEG without its end marker":        {jpg[:len(jpg)-2], jpg},
		"JPEG with half its end marker":      {jpg[:len(jpg)-1], jpg},
		"progressive without its end marker": {progressive[:len(progressive)-2], progressive},
		"PNG with a wrong checksum of text":  {wrong, pngFile},
	} {
		if got := decode(t, tc.data); !bytes.Equal(got.Planes[0], decode(t, tc.want).Planes[0]) {
			t.Errorf("%s: other pixels", name)
		}
	}
}

// webpPhoto is 80 x 80 pixels of one colour without losses: one symbol a code, no data at all (RFC 9649, 3.7.2.1.1).
func webpPhoto() []byte {
	bits, n := []byte{}, 0
	write := func(v, width int) {
		for i := range width {
			if n%8 == 0 {
				bits = append(bits, 0)
			}
			bits[n/8] |= byte(v>>i&1) << (n % 8)
			n++
		}
	}
	write(0x2f, 8)
	write(79, 14)
	write(79, 14)
	write(0, 4)                                          // no alpha, version 0
	write(0, 3)                                          // no transform, no cache, no meta codes
	for _, symbol := range []int{200, 100, 40, 255, 0} { // green, red, blue, alpha, distance
		write(1, 1) // a simple code
		write(0, 1) // of one symbol
		write(1, 1) // of eight bits
		write(symbol, 8)
	}
	if len(bits)%2 == 1 {
		bits = append(bits, 0)
	}
	chunk := append(binary.LittleEndian.AppendUint32([]byte("VP8L"), uint32(len(bits))), bits...)
	return slices.Concat(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(chunk))), []byte("WEBP"), chunk)
}

func TestDecodeReadsWebPWhereItIsAllowed(t *testing.T) {
	t.Parallel()
	limits := DefaultLimits()
	if _, err := Decode(bytes.NewReader(webpPhoto()), limits); err == nil {
		t.Error("it is read where it is not allowed")
	}
	limits.WebP = true
	p, err := Decode(bytes.NewReader(webpPhoto()), limits)
	if err != nil {
		t.Fatal(err)
	}
	if got := pixel(p, 40, 40); p.Width != 80 || p.Height != 80 || got != [3]byte{100, 200, 40} {
		t.Errorf("%d x %d pixels of %v", p.Width, p.Height, got)
	}
	if _, err := Decode(bytes.NewReader(webpPhoto()[:26]), limits); err == nil {
		t.Error("a part of it is read")
	}
}

func TestTurned(t *testing.T) {
	t.Parallel()
	p := &face.Picture{Width: 2, Height: 1, Layout: face.RGB, Planes: [3][]byte{{1, 1, 1, 2, 2, 2}}, Strides: [3]int{6}}
	for quarters, want := range map[int][]byte{
		0: {1, 1, 1, 2, 2, 2}, 1: {1, 1, 1, 2, 2, 2}, 2: {2, 2, 2, 1, 1, 1}, 3: {2, 2, 2, 1, 1, 1},
	} {
		got := Turned(p, quarters)
		if !bytes.Equal(got.Planes[0], want) || got.Check() != nil || (got.Width == 1) != (quarters%2 == 1) {
			t.Errorf("%d quarters: %d x %d of %v", quarters, got.Width, got.Height, got.Planes[0])
		}
	}
}

func TestDecodeIgnoresWhatFollowsTheImage(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"baseline-2x2.jpg", "palette.png"} {
		data := read(t, filepath.Join("testdata", file))
		want := decode(t, data)
		for name, tail := range map[string][]byte{"noise": {1, 2, 0xff, 3}, "itself": data, "scans": bytes.Repeat([]byte{0xff, 0xda, 0, 2}, 500)} {
			if got := decode(t, slices.Concat(data, tail)); !bytes.Equal(got.Planes[0], want.Planes[0]) {
				t.Errorf("%s followed by %s: other pixels", file, name)
			}
		}
	}
}

func TestDecodeNeverInflatesText(t *testing.T) {
	t.Parallel()
	bomb := append([]byte("Comment\x00\x00"), bytes.Repeat([]byte{0x78, 0x9c, 0xed}, 1000)...) // not even valid
	decode(t, insertAfterIHDR(read(t, "testdata/palette.png"), "zTXt", bomb))
}

func TestDecodeReturnsTheReadersError(t *testing.T) {
	t.Parallel()
	_, err := Decode(iotest.ErrReader(io.ErrClosedPipe), DefaultLimits())
	var refusal *Error
	if !errors.Is(err, io.ErrClosedPipe) || errors.As(err, &refusal) {
		t.Errorf("error %v, want the reader's own", err)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*g")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, file := range files {
		f.Add(read(f, file))
	}
	f.Add(pngHeader(100, 100))
	f.Add(insertAfterIHDR(read(f, "testdata/palette.png"), "eXIf", tiffOrientation(binary.LittleEndian, 6)))
	f.Add(webpPhoto())
	f.Add(media.JPEG([3][2]byte{{2, 2}, {1, 1}, {1, 2}}))
	limits := Limits{Bytes: 1 << 16, MinSide: 8, MaxSide: 300, Pixels: 40_000, WebP: true}
	f.Fuzz(func(t *testing.T, data []byte) {
		pic, err := Decode(bytes.NewReader(data), limits)
		if err != nil {
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Kind == 0 || refusal.Message == "" {
				t.Fatalf("error %v is not a refusal", err)
			}
			return
		}
		if err = pic.Check(); err != nil {
			t.Fatal(err)
		}
		if min(pic.Width, pic.Height) < 8 || max(pic.Width, pic.Height) > 300 || pic.Width*pic.Height > 40_000 {
			t.Fatalf("size %d x %d is outside the limits", pic.Width, pic.Height)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 4000, 3000))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i >> 9)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		b.Fatal(err)
	}
	data := buf.Bytes()
	limits := DefaultLimits()
	b.Run("library alone", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(data)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(12*float64(b.N)/b.Elapsed().Seconds(), "Mpixel/s")
	})
	b.Run("upright RGB", func(b *testing.B) {
		for b.Loop() {
			if _, err := Decode(bytes.NewReader(data), limits); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(12*float64(b.N)/b.Elapsed().Seconds(), "Mpixel/s")
	})
}

func decodeFile(t *testing.T, path string) *face.Picture {
	t.Helper()
	return decode(t, read(t, path))
}

func decode(t *testing.T, data []byte) *face.Picture {
	t.Helper()
	pic, err := Decode(bytes.NewReader(data), DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if err = pic.Check(); err != nil {
		t.Fatal(err)
	}
	return pic
}

func checkQuadrants(t *testing.T, pic *face.Picture, want [4][3]byte, tolerance int) {
	t.Helper()
	if pic.Width != 96 || pic.Height != 80 || pic.Layout != face.RGB {
		t.Fatalf("a %d x %d picture with layout %d", pic.Width, pic.Height, pic.Layout)
	}
	for i, c := range want {
		got := pixel(pic, 24+48*(i%2), 20+40*(i/2))
		for k := range c {
			if d := int(got[k]) - int(c[k]); d > tolerance || d < -tolerance {
				t.Errorf("quadrant %d is %v, want %v", i, got, c)
				break
			}
		}
	}
}

func pixel(p *face.Picture, x, y int) [3]byte {
	return [3]byte(p.Planes[0][y*p.Strides[0]+3*x:])
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func encodePNG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func chunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// pngHeader is a PNG that ends after its header.
func pngHeader(width, height uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return append([]byte(pngMagic), chunk("IHDR", append(ihdr, 8, 0, 0, 0, 0))...)
}

func insertAfterIHDR(pngFile []byte, name string, data []byte) []byte {
	const end = 8 + 12 + 13
	return slices.Concat(pngFile[:end], chunk(name, data), pngFile[end:])
}

// tiffOrientation is EXIF data with an orientation and nothing else.
func tiffOrientation(order binary.AppendByteOrder, orientation int) []byte {
	b := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(orientation))
	b = order.AppendUint16(b, 0)
	return order.AppendUint32(b, 0)
}

// manyScans repeats the last scan of a progressive JPEG.
func manyScans(data []byte, n int) []byte {
	last := bytes.LastIndex(data, []byte{0xff, markerSOS})
	end := len(data) - 2
	return slices.Concat(data[:end], bytes.Repeat(data[last:end], n), data[end:])
}

// withoutAdobe takes the Adobe segment out of a JPEG.
func withoutAdobe(data []byte) []byte {
	at := bytes.Index(data, []byte{0xff, 0xee})
	length := int(binary.BigEndian.Uint16(data[at+2:]))
	return slices.Concat(data[:at], data[at+2+length:])
}
