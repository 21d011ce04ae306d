package recognizer

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// Tests of the default pack. The pack's own source packages hold photos of groups of people.

// groupPhoto reads one of the photos that the installed npm packages bring along.
func groupPhoto(tb testing.TB, name string) *face.Picture {
	tb.Helper()
	path := filepath.Join("..", "..", "node_modules", "@vladmandic", "face-api", "demo", name)
	f, err := os.Open(path)
	if err != nil {
		tb.Skipf("no photo (%v): run 'make setup'", err)
	}
	return decode(tb, f)
}

func decode(tb testing.TB, f *os.File) *face.Picture {
	tb.Helper()
	defer func() { _ = f.Close() }()
	p, err := photo.Decode(f, photo.DefaultLimits())
	if err != nil {
		tb.Fatalf("%s: %v", f.Name(), err)
	}
	return p
}

// toI420 makes video of a photo: full range BT.709.
func toI420(p *face.Picture) *face.Picture {
	w, h := p.Width&^1, p.Height&^1
	out := &face.Picture{Width: w, Height: h, Matrix: face.BT709, FullRange: true, Strides: [3]int{w, w / 2, w / 2}}
	out.Planes = [3][]byte{make([]byte, w*h), make([]byte, w*h/4), make([]byte, w*h/4)}
	for y := range h {
		for x := range w {
			c := p.Planes[0][y*p.Strides[0]+3*x:][:3]
			r, g, b := float64(c[0]), float64(c[1]), float64(c[2])
			l := 0.2126*r + 0.7152*g + 0.0722*b
			out.Planes[0][y*w+x] = byte(l + 0.5)
			out.Planes[1][y/2*(w/2)+x/2] = byte(min(max((b-l)/1.8556+128.5, 0), 255))
			out.Planes[2][y/2*(w/2)+x/2] = byte(min(max((r-l)/1.5748+128.5, 0), 255))
		}
	}
	return out
}

func TestGroupPhoto(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	p := groupPhoto(t, "sample5.jpg")
	faces, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	good := slices.DeleteFunc(slices.Clone(faces), func(f Face) bool { return f.Refused != "" })
	if len(good) != 5 {
		t.Fatalf("%d of 5 faces are good enough: %+v", len(good), faces)
	}
	for i, f := range good {
		for _, l := range f.Detection.Landmarks {
			b := f.Detection.Box
			if l.X < b.Left || l.X > b.Right() || l.Y < b.Top || l.Y > b.Bottom() {
				t.Errorf("face %d: a landmark lies outside its box", i)
			}
		}
		if n := face.Dot(f.Sample.Embedding.Vector, f.Sample.Embedding.Vector); math.Abs(n-1) > 1e-5 {
			t.Errorf("face %d: the vector's length is %v", i, math.Sqrt(n))
		}
		for _, other := range good[:i] {
			// Strangers: 1 in 10,000 pairs of LFW exceeds .42.
			if s := face.Dot(f.Sample.Embedding.Vector, other.Sample.Embedding.Vector); s > 0.42 {
				t.Errorf("two of the people resemble each other by %v", s)
			}
		}
	}
	if portrait := r.Portrait(p, &good[0].Detection); portrait.Bounds().Dx() != PortraitSide {
		t.Errorf("the portrait is %v", portrait.Bounds())
	}
}

func TestVideoAndPhotoAgree(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	p := groupPhoto(t, "sample6.jpg")
	faces, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	full := toI420(p)
	small := r.scaler.Scale(p, 640, 640*p.Height/p.Width&^1)
	frame := &face.Frame{Full: *full, Small: *toI420(&small)}
	found, err := r.Detect(t.Context(), frame, face.Look{})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 || len(faces) != 4 {
		t.Fatalf("%d faces in the video and %d in the photo", len(found), len(faces))
	}
	found = slices.Clone(found)
	for _, f := range faces {
		i := slices.IndexFunc(found, func(d face.Detection) bool { return face.IoU(d.Box, f.Detection.Box) > 0.7 })
		if i < 0 {
			t.Fatalf("the face at %+v is not in the video", f.Detection.Box)
		}
		var crop face.Crop
		r.Align(full, &found[i], &crop)
		s, err := r.Embed(t.Context(), &crop)
		if err != nil {
			t.Fatal(err)
		}
		if c := face.Dot(s.Embedding.Vector, f.Sample.Embedding.Vector); c < 0.9 {
			t.Errorf("the same face has a cosine of %v", c)
		}
	}
}

// TestSmallFacesAreFoundByACloserLook puts a group photo, reduced so that its faces are some 36 pixels high, into a picture
// of 1920 pixels, in which the small picture shows them with 12.
func TestSmallFacesAreFoundByACloserLook(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	group := groupPhoto(t, "sample5.jpg")
	faces, err := r.Faces(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	width := int(float32(group.Width) * 36 / faces[len(faces)/2].Height)
	scaled := r.scaler.Scale(group, width, group.Height*width/group.Width)
	canvas := face.Picture{Width: 1920, Height: 1080, Layout: face.RGB, Strides: [3]int{3 * 1920}}
	canvas.Planes[0] = slices.Repeat([]byte{90, 100, 110}, 1920*1080)
	const left, top = 701, 407
	for y := range scaled.Height {
		copy(canvas.Planes[0][(top+y)*canvas.Strides[0]+3*left:], scaled.Planes[0][y*scaled.Strides[0]:][:3*scaled.Width])
	}
	reduced := r.scaler.Scale(&canvas, 640, 360)
	frame := &face.Frame{Full: *toI420(&canvas), Small: *toI420(&reduced)}
	look := func(l face.Look) []face.Detection {
		found, err := r.Detect(t.Context(), frame, l)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if x := d.Box.Center().X * 1920; x < left || x > left+float32(width) {
				t.Errorf("%+v finds a face beside the photo at %+v", l, d.Box)
			}
		}
		return slices.Clone(found)
	}
	found := look(face.Look{})
	if len(found) < 4 {
		t.Fatalf("%d of 5 faces are found", len(found))
	}
	// What the small picture alone is sure of: with as large a "full" picture there is nothing to look closer at.
	if glance, err := r.Detect(t.Context(), &face.Frame{Full: frame.Small, Small: frame.Small}, face.Look{}); err != nil || len(glance) > len(found)-3 {
		t.Errorf("a glance finds %d faces, a closer look %d (%v)", len(glance), len(found), err)
	}
	var places []face.Box
	for _, d := range found {
		places = append(places, d.Box)
	}
	if again := look(face.Look{Near: places}); len(again) < len(places) {
		t.Errorf("%d of %d faces are found where they were", len(again), len(places))
	}
	if followed := look(face.Look{Follow: places}); len(followed) != len(places) {
		t.Errorf("%d of %d faces are followed", len(followed), len(places))
	} else if one := look(face.Look{Follow: places[:1]}); len(one) != 1 || face.IoU(one[0].Box, places[0]) < 0.6 {
		t.Errorf("following one face finds %d", len(one))
	}
	nowhere := []face.Box{{Left: 0.98, Top: 0.98, Width: 0.05, Height: 0.05}}
	if corner := look(face.Look{Near: nowhere}); len(corner) > len(found) {
		t.Errorf("a look into the corner finds %d faces", len(corner)-len(found))
	}
	if corner := look(face.Look{Follow: nowhere}); len(corner) != 0 {
		t.Errorf("what was not there is followed: %d faces", len(corner))
	}
}

func TestEnrolSaysWhy(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	p := groupPhoto(t, "sample6.jpg")
	grey := face.Picture{Width: 300, Height: 200, Layout: face.RGB, Strides: [3]int{900}}
	grey.Planes[0] = slices.Repeat([]byte{128}, 900*200)
	tiny := r.scaler.Scale(p, 160, 128)
	tiny.Planes[0] = slices.Clone(tiny.Planes[0])
	for name, c := range map[string]struct {
		picture *face.Picture
		says    string
	}{
		"a grey wall": {&grey, "no face found"},
		"small faces": {&tiny, "pixels high; at least 40 are needed"},
	} {
		_, _, err := r.Enrol(t.Context(), c.picture)
		var refused *RefusedError
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, c.says) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, c.says)
		}
	}
	broken := *p
	broken.Planes[0] = broken.Planes[0][:1000]
	if _, _, err := r.Enrol(t.Context(), &broken); err == nil || errors.As(err, new(*RefusedError)) {
		t.Errorf("half a picture: %v", err)
	}
	if _, err := r.Detect(t.Context(), &face.Frame{Full: *p, Small: broken}, face.Look{}); err == nil {
		t.Error("half a frame was searched")
	}
}

func TestNothingButVectorsIsAllocated(t *testing.T) {
	r := newRecognizer(t, "", Options{})
	full := toI420(groupPhoto(t, "sample6.jpg"))
	frame, ctx := &face.Frame{Full: *full, Small: raster.NewScaler().Scale(full, 640, 640*full.Height/full.Width&^1)}, context.Background()
	var crop face.Crop
	var d face.Detection
	var follow []face.Box
	if n := testing.AllocsPerRun(5, func() {
		found, err := r.Detect(ctx, frame, face.Look{})
		if err != nil || len(found) == 0 {
			t.Fatalf("found %d faces, %v", len(found), err)
		}
		d = found[0]
		follow = append(follow[:0], d.Box)
		if _, err = r.Detect(ctx, frame, face.Look{Follow: follow, Near: follow}); err != nil {
			t.Fatal(err)
		}
		r.Align(full, &d, &crop)
	}); n != 0 {
		t.Errorf("detecting and aligning allocates %v times", n)
	}
	if n := testing.AllocsPerRun(5, func() {
		if _, err := r.Embed(ctx, &crop); err != nil {
			t.Fatal(err)
		}
	}); n != 1 {
		t.Errorf("embedding allocates %v times instead of once, for the vector", n)
	}
}

func TestAnswersDoNotDependOnWhatWasBefore(t *testing.T) {
	t.Parallel()
	r := newRecognizer(t, "", Options{})
	p := groupPhoto(t, "sample1.jpg")
	first, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for size := 100; size < 1000; size += 100 { // more shapes than a session keeps buffers for
		other := raster.NewScaler().Scale(p, size, size/2)
		if _, err = r.Faces(t.Context(), &other); err != nil {
			t.Fatal(err)
		}
	}
	again, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(again) {
		t.Fatalf("%d faces, then %d", len(first), len(again))
	}
	for i := range first {
		if first[i].Detection != again[i].Detection ||
			!slices.Equal(first[i].Sample.Embedding.Vector, again[i].Sample.Embedding.Vector) {
			t.Errorf("face %d differs the second time", i)
		}
	}
}
