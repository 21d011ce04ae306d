package raster

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// rgbPicture makes a picture out of a colour per pixel.
func rgbPicture(w, h int, colour func(x, y int) [3]byte) *face.Picture {
	p := &face.Picture{Width: w, Height: h, Layout: face.RGB, Strides: [3]int{3 * w}}
	for y := range h {
		for x := range w {
			c := colour(x, y)
			p.Planes[0] = append(p.Planes[0], c[:]...)
		}
	}
	return p
}

// yuvPicture makes an I420 picture of one colour with rows wider than the picture.
func yuvPicture(w, h int, y, u, v byte) *face.Picture {
	p := &face.Picture{Width: w, Height: h, Strides: [3]int{w + 5, (w+1)/2 + 3, (w+1)/2 + 1}}
	for i, s := range [3]byte{y, u, v} {
		rows := h
		if i > 0 {
			rows = (h + 1) / 2
		}
		p.Planes[i] = make([]byte, rows*p.Strides[i])
		for k := range p.Planes[i] {
			p.Planes[i][k] = s
		}
	}
	return p
}

// exact is the colour of Y, U, V by the definition of the standards, in floating point.
func exact(p *face.Picture, y, u, v byte) [3]float64 {
	kr, kb := 0.299, 0.114
	switch p.Matrix {
	case face.BT709:
		kr, kb = 0.2126, 0.0722
	case face.BT2020:
		kr, kb = 0.2627, 0.0593
	case face.BT601:
	}
	l, cb, cr := (float64(y)-16)/219, (float64(u)-128)/224, (float64(v)-128)/224
	if p.FullRange {
		l, cb, cr = float64(y)/255, (float64(u)-128)/255, (float64(v)-128)/255
	}
	r, b := l+2*(1-kr)*cr, l+2*(1-kb)*cb
	g := (l - kr*r - kb*b) / (1 - kr - kb)
	out := [3]float64{r, g, b}
	for i := range out {
		out[i] = min(max(out[i]*255, 0), 255)
	}
	return out
}

func TestColoursAreThoseOfTheStandards(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.Byte()
		y, u, v := sample.Draw(t, "y"), sample.Draw(t, "u"), sample.Draw(t, "v")
		w, h := rapid.IntRange(1, 9).Draw(t, "w"), rapid.IntRange(1, 9).Draw(t, "h")
		p := yuvPicture(w, h, y, u, v)
		p.Matrix = rapid.SampledFrom([]face.ColorMatrix{face.BT601, face.BT709, face.BT2020}).Draw(t, "matrix")
		p.FullRange = rapid.Bool().Draw(t, "full")
		want := exact(p, y, u, v)
		f := NewFiller(Normal{Scale: 1, BGR: true})
		tensor := make([]float32, 3*16*16)
		f.Fill(tensor, 16, 16, p)
		last := (h-1)*16 + w - 1
		got := [3]float32{tensor[2*256+last], tensor[256+last], tensor[last]} // blue comes first
		scaled := NewScaler().Scale(p, (w+1)/2, (h+1)/2)
		if scaled.Matrix != p.Matrix || scaled.FullRange != p.FullRange || scaled.Check() != nil {
			t.Fatalf("scaled, the picture is %+v", scaled)
		}
		for i, want := range [3]byte{y, u, v} {
			if plane := scaled.Planes[i]; plane[len(plane)-1] != want {
				t.Fatalf("scaled, plane %d is %d, want %d", i, plane[len(plane)-1], want)
			}
		}
		for i := range 3 {
			if math.Abs(float64(got[i])-want[i]) > 0.51 {
				t.Fatalf("tensor's channel %d is %v, want %v", i, got[i], want[i])
			}
		}
	})
}

func TestFillPadsWithTheMean(t *testing.T) {
	t.Parallel()
	f := NewFiller(Normal{Mean: 127, Scale: 0.5})
	tensor := make([]float32, 3*4*4)
	f.Fill(tensor, 4, 4, rgbPicture(2, 3, func(x, y int) [3]byte { return [3]byte{byte(x), byte(10 * y), 200} }))
	for i, want := range map[int]float32{0: -63.5, 1: -63, 2: 0, 12: 0, 16 + 8: -53.5, 32: 36.5, 32 + 2: 0} {
		if tensor[i] != want {
			t.Errorf("element %d is %v, want %v", i, tensor[i], want)
		}
	}
}

func TestCropIsMirrored(t *testing.T) {
	t.Parallel()
	var crop face.Crop
	crop[0], crop[1], crop[2] = 1, 2, 3 // the first pixel of the first row
	f := NewFiller(Normal{Scale: 1})
	tensor := make([]float32, len(crop))
	const area = face.CropSide * face.CropSide
	f.Crop(tensor, &crop, false)
	if tensor[0] != 1 || tensor[area] != 2 || tensor[2*area] != 3 {
		t.Error("the first pixel is not in the first column")
	}
	f.Crop(tensor, &crop, true)
	if tensor[0] != 0 || tensor[face.CropSide-1] != 1 || tensor[2*area+face.CropSide-1] != 3 {
		t.Error("mirrored, the first pixel is not in the last column")
	}
}

func TestScaleIsTheMeanOfTheArea(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		sw, sh := rapid.IntRange(1, w).Draw(t, "sw"), rapid.IntRange(1, h).Draw(t, "sh")
		seed := rapid.Uint32().Draw(t, "seed")
		p := rgbPicture(w, h, func(x, y int) [3]byte {
			seed = seed*1664525 + 1013904223
			return [3]byte{byte(seed >> 24), byte(seed >> 16), byte(x + y)}
		})
		got := NewScaler().Scale(p, sw, sh)
		if err := got.Check(); err != nil {
			t.Fatal(err)
		}
		x, y, c := rapid.IntRange(0, sw-1).Draw(t, "x"), rapid.IntRange(0, sh-1).Draw(t, "y"), rapid.IntRange(0, 2).Draw(t, "c")
		var sum, area float64
		for j := range h {
			for i := range w {
				share := covered(i, x, w, sw) * covered(j, y, h, sh)
				sum += share * float64(p.Planes[0][3*(j*w+i)+c])
				area += share
			}
		}
		// Shares are in 1/256 of a pixel, so the mean may be off by a little more than rounding.
		if is := float64(got.Planes[0][3*(y*sw+x)+c]); math.Abs(is-sum/area) > 2.5 {
			t.Fatalf("pixel (%d,%d) is %v, the mean of its area %v", x, y, is, sum/area)
		}
	})
}

func TestScaleOfPlanesIsTheMeanOfTheArea(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		sw, sh := rapid.IntRange(1, w).Draw(t, "sw"), rapid.IntRange(1, h).Draw(t, "sh")
		p := yuvPicture(w, h, 0, 0, 0)
		seed := rapid.Uint32().Draw(t, "seed")
		for _, plane := range p.Planes {
			for i := range plane {
				seed = seed*1664525 + 1013904223
				plane[i] = byte(seed >> 24)
			}
		}
		got := NewScaler().Scale(p, sw, sh)
		if err := got.Check(); err != nil {
			t.Fatal(err)
		}
		c := rapid.IntRange(0, 2).Draw(t, "plane")
		if c > 0 {
			w, h, sw, sh = (w+1)/2, (h+1)/2, (sw+1)/2, (sh+1)/2
		}
		x, y := rapid.IntRange(0, sw-1).Draw(t, "x"), rapid.IntRange(0, sh-1).Draw(t, "y")
		var sum, area float64
		for j := range h {
			for i := range w {
				share := covered(i, x, w, sw) * covered(j, y, h, sh)
				sum += share * float64(p.Planes[c][j*p.Strides[c]+i])
				area += share
			}
		}
		if is := float64(got.Planes[c][y*got.Strides[c]+x]); math.Abs(is-sum/area) > 2.5 {
			t.Fatalf("sample (%d,%d) of plane %d is %v, the mean of its area %v", x, y, c, is, sum/area)
		}
	})
}

// covered is how much of source pixel i pixel x of the result covers along one side.
func covered(i, x, source, size int) float64 {
	from, to := float64(x)*float64(source)/float64(size), float64(x+1)*float64(source)/float64(size)
	return max(0, min(to, float64(i+1))-max(from, float64(i)))
}

func TestEnlargedPictureIsInterpolated(t *testing.T) {
	t.Parallel()
	p := rgbPicture(2, 1, func(x, _ int) [3]byte { return [3]byte{byte(200 * x), 50, 0} })
	got := NewScaler().Scale(p, 4, 2)
	for x, want := range []byte{0, 50, 150, 200} {
		if is := got.Planes[0][3*x]; is != want {
			t.Errorf("pixel %d is %d, want %d", x, is, want)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range [][5]int{{1920, 1080, 640, 640, 360}, {1080, 1920, 640, 360, 640}, {10000, 10, 640, 640, 1}, {1, 5000, 320, 1, 320}} {
		if w, h := Fit(c[0], c[1], c[2]); w != c[3] || h != c[4] {
			t.Errorf("%d x %d at %d is %d x %d", c[0], c[1], c[2], w, h)
		}
	}
}

func TestWarpFollowsTheMap(t *testing.T) {
	t.Parallel()
	// Red grows by 2 a column and green by 2 a row, so a colour says where it comes from.
	p := rgbPicture(100, 80, func(x, y int) [3]byte { return [3]byte{byte(2 * x), byte(2 * y), 7} })
	rapid.Check(t, func(t *rapid.T) {
		angle, scale := rapid.Float64Range(-4, 4).Draw(t, "angle"), rapid.Float64Range(0.2, 3).Draw(t, "scale")
		sin, cos := math.Sincos(angle)
		m := Affine{XX: scale * cos, XY: -scale * sin, X0: 50, YX: scale * sin, YY: scale * cos, Y0: 40}
		out := face.Picture{Width: 20, Height: 20, Layout: face.RGB, Strides: [3]int{60}}
		out.Planes[0] = make([]byte, 1200)
		NewWarper().Warp(&out, p, m, Black)
		i, j := rapid.IntRange(0, 19).Draw(t, "i"), rapid.IntRange(0, 19).Draw(t, "j")
		x, y := m.XX*float64(i)+m.XY*float64(j)+m.X0, m.YX*float64(i)+m.YY*float64(j)+m.Y0
		c := out.Planes[0][3*(20*j+i):][:3]
		if far := 2.5; x < -far || y < -far || x > 99+far || y > 79+far {
			if c[0]|c[1]|c[2] != 0 {
				t.Fatalf("(%.1f,%.1f) lies outside but is %v", x, y, c)
			}
			return
		}
		if edge := 3.0; x < edge || y < edge || x > 99-edge || y > 79-edge {
			return // partly outside
		}
		if math.Abs(float64(c[0])-2*x) > 1.6 || math.Abs(float64(c[1])-2*y) > 1.6 || c[2] != 7 {
			t.Fatalf("pixel (%d,%d) comes from (%.2f,%.2f) and is %v", i, j, x, y, c)
		}
	})
}

func TestWarpSurvivesAnyMap(t *testing.T) {
	t.Parallel()
	p := yuvPicture(7, 5, 100, 90, 80)
	w := NewWarper()
	out := face.Picture{Width: 9, Height: 9, Layout: face.RGB, Strides: [3]int{27}}
	out.Planes[0] = make([]byte, 243)
	for _, v := range []float64{0, 1, -1, 1e9, -1e9, 1e300, math.Inf(1), math.NaN()} {
		w.Warp(&out, p, Affine{XX: v, XY: 1, X0: v, YX: -v, YY: 1, Y0: v}, Black)
		w.Warp(&out, p, Affine{XX: v, XY: 1, X0: v, YX: -v, YY: 1, Y0: v}, Replicate)
	}
}

func TestGreyOfBothLayouts(t *testing.T) {
	t.Parallel()
	identity := Affine{XX: 1, YY: 1}
	grey := make([]byte, 16)
	NewWarper().Grey(grey, 4, yuvPicture(4, 4, 235, 128, 128), identity)
	if grey[5] != 255 {
		t.Errorf("limited white is %d", grey[5])
	}
	NewWarper().Grey(grey, 4, rgbPicture(4, 4, func(int, int) [3]byte { return [3]byte{255, 0, 0} }), identity)
	if grey[5] != 76 { // 0.299 * 255
		t.Errorf("red is %d", grey[5])
	}
}

func TestNothingIsAllocated(t *testing.T) {
	p := yuvPicture(64, 48, 100, 90, 80)
	f, w, s := NewFiller(Normal{Scale: 1}), NewWarper(), NewScaler()
	tensor, grey := make([]float32, 3*64*64), make([]byte, 32*32)
	out := face.Picture{Width: 32, Height: 32, Layout: face.RGB, Strides: [3]int{96}}
	out.Planes[0] = make([]byte, 96*32)
	if n := testing.AllocsPerRun(10, func() {
		f.Fill(tensor, 64, 64, p)
		w.Warp(&out, p, Affine{XX: 1.5, YY: 1.5}, Black)
		w.Grey(grey, 32, p, Affine{XX: 2, YY: 2})
		s.Scale(p, 31, 17)
	}); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}
