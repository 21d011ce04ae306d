package recognizer

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// frontal is a face that looks straight ahead, in pixels.
func frontal() [5]face.Point {
	return [5]face.Point{{X: 138, Y: 152}, {X: 174, Y: 152}, {X: 156, Y: 172.3}, {X: 142, Y: 192.4}, {X: 170, Y: 192.4}}
}

func TestFitFindsTheSimilarity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Float64Range(-500, 500)
		angle, scale := rapid.Float64Range(-3, 3).Draw(t, "angle"), rapid.Float64Range(0.01, 20).Draw(t, "scale")
		tx, ty := number.Draw(t, "tx"), number.Draw(t, "ty")
		sin, cos := math.Sincos(angle)
		from := frontal()
		var to [5]face.Point
		for i, p := range from {
			x, y := float64(p.X), float64(p.Y)
			to[i] = face.Point{X: float32(scale*(cos*x-sin*y) + tx), Y: float32(scale*(sin*x+cos*y) + ty)}
		}
		s, ok := fit(from[:], to[:])
		if !ok {
			t.Fatal("no similarity found")
		}
		inverse := s.inverse()
		for i, p := range from {
			x, y := s.apply(p)
			if math.Hypot(x-float64(to[i].X), y-float64(to[i].Y)) > 1e-3*scale+1e-2 {
				t.Fatalf("point %d goes to (%v,%v) instead of %v", i, x, y, to[i])
			}
			bx, by := inverse.XX*x+inverse.XY*y+inverse.X0, inverse.YX*x+inverse.YY*y+inverse.Y0
			if math.Hypot(bx-float64(p.X), by-float64(p.Y)) > 1e-3 {
				t.Fatalf("point %d comes back as (%v,%v) instead of %v", i, bx, by, p)
			}
		}
	})
}

func TestFitRefusesPointsThatCoincide(t *testing.T) {
	t.Parallel()
	same, nan := [5]face.Point{}, frontal()
	nan[2].X = float32(math.NaN())
	to := frontal()
	for _, from := range [][5]face.Point{same, nan} {
		if _, ok := fit(from[:], to[:]); ok {
			t.Errorf("%v was fitted", from)
		}
	}
}

func TestPoseHasRekognitionsSigns(t *testing.T) {
	t.Parallel()
	near := func(got, want, tolerance float32) bool { return math.Abs(float64(got-want)) <= float64(tolerance) }
	if p := poseOf(frontal()); !near(p.Yaw, 0, 1) || !near(p.Pitch, 0, 1) || !near(p.Roll, 0, 1) {
		t.Errorf("a frontal face has pose %+v", p)
	}
	right, up, clockwise := frontal(), frontal(), frontal()
	right[face.Nose].X += 11 // the nose points to the viewer's right
	up[face.Nose].Y -= 8     // and upwards
	sin, cos := math.Sincos(20 * math.Pi / 180)
	for i, p := range clockwise { // with y downwards this turns clockwise as seen
		x, y := float64(p.X-156), float64(p.Y-172)
		clockwise[i] = face.Point{X: 156 + float32(cos*x-sin*y), Y: 172 + float32(sin*x+cos*y)}
	}
	if p := poseOf(right); p.Yaw < 20 || p.Yaw > 40 || !near(p.Roll, 0, 1) {
		t.Errorf("looking right has pose %+v", p)
	}
	if p := poseOf(up); p.Pitch < 10 || !near(p.Yaw, 0, 1) {
		t.Errorf("looking up has pose %+v", p)
	}
	if p := poseOf(clockwise); !near(p.Roll, 20, 0.5) || !near(p.Yaw, 0, 1) || !near(p.Pitch, 0, 1) {
		t.Errorf("leaning clockwise has pose %+v", p)
	}
	if p := poseOf([5]face.Point{}); p != (face.Pose{}) {
		t.Errorf("no face has pose %+v", p)
	}
}

func TestQualityFollowsLightAndBlur(t *testing.T) {
	t.Parallel()
	const side = face.CropSide
	picture := func(blur int, light float64) []byte {
		luma := make([]byte, side*side)
		for i := range luma {
			wave := math.Sin(float64(i%side)/float64(2+blur)) + math.Sin(float64(i/side)/float64(2+blur))
			luma[i] = byte(light * (100 + 40*wave))
		}
		return luma
	}
	sharp, soft, dark := qualityOf(picture(0, 1)), qualityOf(picture(4, 1)), qualityOf(picture(0, 0.4))
	if !(sharp.Sharpness > soft.Sharpness+20) {
		t.Errorf("sharpness %v is not above a blurred picture's %v", sharp.Sharpness, soft.Sharpness)
	}
	if !(sharp.Brightness > 2*dark.Brightness) || math.Abs(float64(sharp.Brightness)-39) > 3 {
		t.Errorf("brightness %v, %v in the dark", sharp.Brightness, dark.Brightness)
	}
	flat := qualityOf(slices.Repeat([]byte{255}, side*side))
	if flat.Brightness != 100 || flat.Sharpness != 0 {
		t.Errorf("a white wall has %+v", flat)
	}
}

func TestSuppressKeepsTheBestOfEachHeap(t *testing.T) {
	t.Parallel()
	box := func(x, score float32) candidate {
		return candidate{box: face.PixelBox{X0: x, X1: x + 10, Y1: 10}, score: score}
	}
	got := suppress([]candidate{box(0, .7), box(1, .9), box(40, .8), box(8, .6), box(41, .8)}, 0.4)
	want := []candidate{box(1, .9), box(40, .8), box(8, .6)}
	if !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
}

func TestUnsoundCandidatesAreDropped(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	good := candidate{box: face.PixelBox{X1: 10, Y1: 10}, score: .9}
	if !good.sound() {
		t.Error("a good candidate was dropped")
	}
	for _, spoil := range []func(*candidate){
		func(c *candidate) { c.box.X0 = nan }, func(c *candidate) { c.box.Y1 = inf }, func(c *candidate) { c.box.X1 = 0.2 },
		func(c *candidate) { c.score = nan }, func(c *candidate) { c.points[3].Y = nan }, func(c *candidate) { c.score = 2 },
	} {
		c := good
		spoil(&c)
		if c.sound() {
			t.Errorf("%+v was kept", c)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	whole := face.PixelBox{X1: 100, Y1: 100}
	if !holds(whole, face.PixelBox{X0: 80, Y0: 50, X1: 103, Y1: 80}) || holds(whole, face.PixelBox{X0: 80, X1: 130, Y1: 40}) {
		t.Error("a part is told wrongly")
	}
}
