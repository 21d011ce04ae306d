package search_test

import (
	"cmp"
	"context"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
)

const (
	dim      = 64
	interval = 200 * time.Millisecond
)

// world plays a video of actors: each has a direction in embedding space, and their crops are that direction with noise.
type world struct {
	faces  [][]float32
	noise  float64
	random *rand.Rand
}

// scale is that of the actors' embeddings, in 64 dimensions.
func scale() face.Scale {
	return face.Scale{PoolFloor: 1.5, PoolLeast: 0.05, Split: 2, SplitSure: 3.2, Sure: 4, SamePerson: 4.1, Weak: 0.5}
}

func newWorld(actors int, noise float64) *world {
	w := &world{noise: noise, random: rand.New(rand.NewPCG(1, 2))}
	for range actors {
		w.faces = append(w.faces, w.direction(nil))
	}
	return w
}

// direction is a random unit vector, or one near v.
func (w *world) direction(v []float32) []float32 {
	out := make([]float32, dim)
	scale := 1.0
	if v != nil {
		copy(out, v)
		scale = w.noise / 8 // sqrt(dim)
	}
	for i := range out {
		out[i] += float32(scale * w.random.NormFloat64())
	}
	if _, err := face.Normalize(out); err != nil {
		panic(err)
	}
	return out
}

// appearance is an actor at a place (the middle of the face, in ratios of the width).
type appearance struct {
	actor int
	x     float32
}

// scene is the actors of each frame, 200 ms apart; shots alternate the picture's brightness.
type scene struct {
	appearances []appearance
	shot        int
}

func repeat(n, shot int, as ...appearance) []scene {
	out := make([]scene, n)
	for i := range out {
		out[i] = scene{as, shot}
	}
	return out
}

// film implements Frames, Detector and Embedder over scenes.
type film struct {
	*world
	scenes  []scene
	from    int // number of the first frame
	next    int
	failAt  int // frame whose Next fails, if above 0
	failure error

	flicker         int // by how many levels the pictures of one shot differ; 0 is as if something moved, -1 not at all
	looks           []face.Look
	views, mirrored int // embedded from one side alone, and of these mirrored
}

func (f *film) Next(ctx context.Context) (*face.Frame, error) {
	if f.failAt > 0 && f.next == f.failAt {
		return nil, f.failure
	}
	if f.next == len(f.scenes) {
		return nil, io.EOF
	}
	light := 60 + 120*(f.scenes[f.next].shot%2)
	light += max(cmp.Or(f.flicker, 12), 0) * (f.next % 3)
	p := flat(byte(light))
	f.next++
	return &face.Frame{Time: time.Duration(f.from+f.next-1) * interval, Full: p, Small: p}, ctx.Err()
}

// flat is a picture of one brightness.
func flat(y byte) face.Picture {
	const w, h = 64, 36
	p := face.Picture{Width: w, Height: h, Strides: [3]int{w, w / 2, w / 2}}
	for i, n := range []int{w * h, w * h / 4, w * h / 4} {
		p.Planes[i] = make([]byte, n)
		for k := range p.Planes[i] {
			p.Planes[i][k] = [3]byte{y, 128, 128}[i]
		}
	}
	return p
}

// Detect tells Align and Embed who it is through the brightness.
func (f *film) Detect(_ context.Context, _ *face.Frame, look face.Look) ([]face.Detection, error) {
	f.looks = append(f.looks, look)
	var out []face.Detection
	for _, a := range f.scenes[f.next-1].appearances {
		out = append(out, face.Detection{
			Box:        face.Box{Left: a.x - 0.05, Top: 0.3, Width: 0.1, Height: 0.2},
			Confidence: 95, Quality: face.Quality{Brightness: float32(a.actor), Sharpness: 80},
		})
	}
	return out, nil
}

func (f *film) Align(_ *face.Picture, d *face.Detection, dst *face.Crop) {
	dst[0] = byte(d.Quality.Brightness)
}

func (f *film) Embed(_ context.Context, crop *face.Crop) (face.Sample, error) {
	return face.Sample{Embedding: face.Embedding{Model: "test", Vector: f.direction(f.faces[crop[0]])}, Norm: 3.5}, nil
}

// analyze runs scenes through Analyze as the stretch that begins with the given frame.
func (w *world) analyze(t *testing.T, stretch, from int, scenes []scene) *search.Tracklets {
	t.Helper()
	out := w.analyzeFilm(t, &film{scenes: scenes, from: from})
	out.Stretch = stretch
	return out
}

func (w *world) analyzeFilm(t *testing.T, f *film) *search.Tracklets {
	t.Helper()
	f.world = w
	out, err := search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *film) EmbedView(ctx context.Context, crop *face.Crop, mirrored bool) (face.Sample, error) {
	if mirrored {
		f.mirrored++
	}
	f.views++
	return f.Embed(ctx, crop)
}

// gallery is brute force over the actors' true faces: actor i has id i.
type gallery struct{ faces [][]float32 }

func (g gallery) Search(_ context.Context, probes []face.Probe) ([][]face.Hit, error) {
	out := make([][]face.Hit, len(probes))
	for i, p := range probes {
		for a, v := range g.faces {
			if s := face.Score(face.Dot(v, p.Vector)); s >= p.MinScore {
				out[i] = append(out[i], face.Hit{ID: face.ID{byte(a)}, Score: s})
			}
		}
		slices.SortStableFunc(out[i], func(x, y face.Hit) int { return cmp.Compare(y.Score, x.Score) })
		out[i] = out[i][:min(len(out[i]), p.Limit)]
	}
	return out, nil
}

// evenCohort is that of random directions in 64 dimensions, whose scores have mean 0 and deviation 1/8.
func evenCohort() *face.Cohort {
	c := &face.Cohort{Mean: make([]float32, dim), Covariance: make([]float32, dim*dim)}
	for i := range dim {
		c.Covariance[i*dim+i] = 1.0 / dim
	}
	return c
}

// matching searches the first n actors.
func (w *world) matching(n int) search.Matching {
	return search.Matching{
		Gallery: gallery{w.faces[:n]}, Cohort: evenCohort(),
		Calibration: &face.Calibration{Points: []face.CalibrationPoint{{Normalised: 2.4, Similarity: 50}, {Normalised: 4, Similarity: 80}}},
		Threshold:   80, MaxMatches: 10, Params: search.DefaultParams(scale()),
	}
}
