package search_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
)

// finish matches against the first n actors.
func (w *world) finish(t *testing.T, n int, stretches ...*search.Tracklets) *search.Result {
	t.Helper()
	r, err := search.Finish(t.Context(), stretches, w.matching(n))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// whoIsWho lists the person numbers that each actor was given.
func whoIsWho(r *search.Result) map[int][]int {
	out := map[int][]int{}
	for _, s := range r.Sightings {
		a := int(s.Detection.Quality.Brightness)
		if !slices.Contains(out[a], s.Person) {
			out[a] = append(out[a], s.Person)
		}
	}
	return out
}

func TestAPersonIsOnePersonAcrossShotsAndStretches(t *testing.T) {
	t.Parallel()
	w := newWorld(3, 0.5)
	first := w.analyze(t, 0, 0, slices.Concat(
		repeat(10, 0, appearance{0, 0.3}, appearance{1, 0.7}),
		repeat(10, 1, appearance{2, 0.3}),
		repeat(10, 2, appearance{1, 0.3}),
	))
	second := w.analyze(t, 1, 30, repeat(10, 2, appearance{0, 0.5}, appearance{1, 0.8}))
	r := w.finish(t, 0, second, first)
	if want := (map[int][]int{0: {0}, 1: {1}, 2: {2}}); !reflect.DeepEqual(whoIsWho(r), want) {
		t.Errorf("persons by actor: %v, want %v", whoIsWho(r), want)
	}
	if r.Persons != 3 || len(r.Sightings) != 60 {
		t.Errorf("%d persons, %d sightings", r.Persons, len(r.Sightings))
	}
}

func TestLookAlikesWithPhotosOfTheirOwnStayApart(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 0.2)
	for i := range w.faces[1] { // alike enough to be taken for one person: a cosine of some 0.7
		w.faces[1][i] = w.faces[0][i] + w.faces[1][i]
	}
	if _, err := face.Normalize(w.faces[1]); err != nil {
		t.Fatal(err)
	}
	tr := w.analyze(t, 0, 0, slices.Concat(repeat(10, 0, appearance{0, 0.3}), repeat(10, 1, appearance{1, 0.7})))
	if r := w.finish(t, 0, tr); r.Persons != 1 {
		t.Fatalf("%d persons without photos: they are not alike enough for this test", r.Persons)
	}
	r := w.finish(t, 2, tr)
	if want := (map[int][]int{0: {0}, 1: {1}}); !reflect.DeepEqual(whoIsWho(r), want) {
		t.Errorf("persons by actor: %v, want %v", whoIsWho(r), want)
	}
	for _, s := range r.Sightings {
		if a := byte(s.Detection.Quality.Brightness); s.Matches[0].ID != (face.ID{a}) {
			t.Fatalf("actor %d at %v is taken for %v", a, s.Time, s.Matches)
		}
	}
}

func TestABorderDoesNotCutATracklet(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 0.9)
	scenes := repeat(24, 0, appearance{0, 0.3}, appearance{1, 0.7})
	r := w.finish(t, 2, w.analyze(t, 0, 0, scenes[:8]), w.analyze(t, 1, 8, scenes[8:16]), w.analyze(t, 2, 16, scenes[16:]))
	// one tracklet an actor has one list of matches, wherever the borders are
	lists := map[int][]face.Match{}
	for _, s := range r.Sightings {
		a := int(s.Detection.Quality.Brightness)
		if lists[a] == nil {
			lists[a] = s.Matches
		}
		if len(s.Matches) == 0 || !reflect.DeepEqual(s.Matches, lists[a]) {
			t.Fatalf("actor %d at %v: %v, before %v", a, s.Time, s.Matches, lists[a])
		}
	}
}

func TestABorderWithACutSeparates(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 0.3)
	for i, x := range w.faces[0] {
		w.faces[1][i] = -x
	}
	r := w.finish(t, 2, w.analyze(t, 0, 0, repeat(8, 0, appearance{0, 0.5})), w.analyze(t, 1, 8, repeat(8, 1, appearance{1, 0.5})))
	if want := (map[int][]int{0: {0}, 1: {1}}); !reflect.DeepEqual(whoIsWho(r), want) {
		t.Errorf("persons by actor: %v, want %v", whoIsWho(r), want)
	}
}

func TestTwinsAreTwoPersonsWhileSeenTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 0.3)
	w.faces[1] = w.faces[0]
	r := w.finish(t, 0, w.analyze(t, 0, 0, repeat(10, 0, appearance{0, 0.3}, appearance{1, 0.7})))
	if r.Persons != 2 {
		t.Errorf("%d persons", r.Persons)
	}
}

func TestATrackletThatChangesFacesIsSplit(t *testing.T) {
	t.Parallel()
	w := newWorld(2, 0.4)
	for i, x := range w.faces[0] {
		w.faces[1][i] = -x // as unlike as can be
	}
	// no cut, no movement: only the embeddings tell
	tr := w.analyze(t, 0, 0, slices.Concat(repeat(12, 0, appearance{0, 0.5}), repeat(12, 0, appearance{1, 0.5})))
	if len(tr.List) != 2 {
		t.Fatalf("%d tracklets", len(tr.List))
	}
	r := w.finish(t, 2, tr)
	for _, s := range r.Sightings {
		if len(s.Matches) > 1 {
			t.Fatalf("at %v both are matched: %v", s.Time, s.Matches)
		}
	}
	if r.Persons != 2 {
		t.Errorf("%d persons", r.Persons)
	}
}

func TestMatchesAppearAtEverySighting(t *testing.T) {
	t.Parallel()
	w := newWorld(3, 0.5)
	tr := w.analyze(t, 0, 0, repeat(15, 0, appearance{0, 0.2}, appearance{2, 0.8}))
	r := w.finish(t, 2, tr) // actor 2 is not enrolled
	for _, s := range r.Sightings {
		switch int(s.Detection.Quality.Brightness) {
		case 0:
			if len(s.Matches) != 1 || s.Matches[0].ID != (face.ID{0}) || s.Matches[0].Similarity < 80 {
				t.Fatalf("at %v: %v", s.Time, s.Matches)
			}
		case 2:
			if len(s.Matches) != 0 {
				t.Fatalf("a stranger is matched at %v: %v", s.Time, s.Matches)
			}
		}
	}
}

func TestMatchesAreOrderedAndLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(4, 0.3)
	for i := 1; i < 4; i++ {
		w.faces[i] = w.faces[0] // four enrolled faces of one person, all of one score
	}
	in := w.matching(4)
	in.MaxMatches = 3
	r, err := search.Finish(t.Context(), []*search.Tracklets{w.analyze(t, 0, 0, repeat(5, 0, appearance{0, 0.5}))}, in)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Sightings[0].Matches
	if len(got) != 3 || got[0].ID != (face.ID{0}) || got[1].ID != (face.ID{1}) || got[2].ID != (face.ID{2}) {
		t.Errorf("matches %v", got)
	}
}

func TestTheOrderOfStretchesDoesNotMatter(t *testing.T) {
	t.Parallel()
	var parts []*search.Tracklets
	w := newWorld(5, 0.5)
	for i := range 6 {
		parts = append(parts, w.analyze(t, i, 10*i,
			repeat(10, i, appearance{i % 5, 0.2}, appearance{(i + 1) % 5, 0.5}, appearance{(i + 3) % 5, 0.8})))
	}
	want := w.finish(t, 3, parts...)
	slices.Reverse(parts)
	if got := w.finish(t, 3, parts...); !reflect.DeepEqual(got, want) {
		t.Error("results differ")
	}
	if !slices.IsSortedFunc(want.Sightings, func(a, b face.Sighting) int { return int(a.Time - b.Time) }) {
		t.Error("sightings are not in order of time")
	}
}

func TestAFailureKeepsWhatWasFound(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0.3)
	boom := errors.New("the decoder died")
	f := &film{world: w, scenes: repeat(10, 0, appearance{0, 0.5}), failAt: 6, failure: boom}
	out, err := search.Analyze(t.Context(), search.Stretch{Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort()})
	if !errors.Is(err, boom) {
		t.Fatalf("error %v", err)
	}
	if len(out.List) != 1 || len(out.List[0].Observations) != 6 || out.List[0].Embedding.Vector == nil {
		t.Errorf("kept %+v", out.List)
	}
}

func TestPortraitsShowTheBestView(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0.3)
	f := &film{world: w, scenes: repeat(4, 0, appearance{0, 0.5})}
	shown := 0
	out, err := search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
		Portrait: func(*face.Picture, *face.Detection) []byte { shown++; return []byte{byte(shown)} },
	})
	if err != nil {
		t.Fatal(err)
	}
	r := w.finish(t, 1, out)
	if shown != 1 || !reflect.DeepEqual(r.Portraits, map[int][]byte{0: {1}}) {
		t.Errorf("%d portraits made, kept %v", shown, r.Portraits)
	}
}

func TestAttributesOfEverySighting(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0.3)
	f := &film{world: w, scenes: repeat(4, 0, appearance{0, 0.5})}
	asked := 0
	out, err := search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
		Attributes: func(context.Context, *face.Picture, *face.Detection) (*face.Attributes, error) {
			asked++
			return &face.Attributes{Age: &face.AgeRange{Low: asked}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range w.finish(t, 1, out).Sightings {
		if s.Attributes == nil || s.Attributes.Age.Low != i+1 {
			t.Errorf("sighting %d has the attributes %v", i, s.Attributes)
		}
	}
	f = &film{world: w, scenes: repeat(4, 0, appearance{0, 0.5})}
	boom := errors.New("the model broke")
	_, err = search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
		Attributes: func(context.Context, *face.Picture, *face.Detection) (*face.Attributes, error) { return nil, boom },
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}

func TestFinishRefusesForeignEmbeddings(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0.3)
	for name, list := range map[string][]search.Tracklet{
		"no observations":  {{}},
		"other dimensions": {{Observations: make([]search.Observation, 1), Embedding: face.Embedding{Vector: []float32{1}}}},
	} {
		if _, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, w.matching(1)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParamsValidate(t *testing.T) {
	t.Parallel()
	if err := search.DefaultParams(scale()).Validate(); err != nil {
		t.Error(err)
	}
	bad := search.DefaultParams(scale())
	bad.SampleRate, bad.Samples, bad.ShotChange = 0, 0, -1
	if bad.Validate() == nil {
		t.Error("accepted")
	}
}

// looked runs scenes through Analyze and returns how each frame was looked at.
func looked(t *testing.T, f *film) []face.Look {
	t.Helper()
	f.world = newWorld(1, 0.3)
	if _, err := search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
	}); err != nil {
		t.Fatal(err)
	}
	return f.looks
}

// which are the numbers of the looks that are of a kind.
func which(looks []face.Look, are func(face.Look) bool) (numbers []int) {
	for i, l := range looks {
		if are(l) {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

func TestFacesAreFollowedBetweenLooksAtTheWhole(t *testing.T) {
	t.Parallel()
	there := func(boxes []face.Box) bool {
		return len(boxes) == 1 && face.IoU(boxes[0], face.Box{Left: 0.45, Top: 0.3, Width: 0.1, Height: 0.2}) > 0.9
	}
	looks := looked(t, &film{scenes: slices.Concat(repeat(8, 0, appearance{0, 0.5}), repeat(3, 1, appearance{0, 0.5}), repeat(4, 1))})
	// In frame 11 the face is gone, so that the frame is looked at twice.
	if got, want := which(looks, func(l face.Look) bool { return there(l.Follow) }), []int{1, 3, 5, 7, 9, 11}; !slices.Equal(got, want) {
		t.Errorf("followed at %v, want %v", got, want)
	}
	if got, want := which(looks, func(l face.Look) bool { return there(l.Near) }), []int{2, 4, 6, 10, 12, 13, 14}; !slices.Equal(got, want) {
		t.Errorf("looked near the face, which is small, at %v, want %v", got, want)
	}
}

func TestManyFacesAreNotFollowedOneByOne(t *testing.T) {
	t.Parallel()
	var crowd []appearance
	for i := range 9 {
		crowd = append(crowd, appearance{0, 0.05 + 0.1*float32(i)})
	}
	looks := looked(t, &film{scenes: repeat(10, 0, crowd...)})
	if got := which(looks, func(l face.Look) bool { return len(l.Follow) > 0 }); got != nil {
		t.Errorf("followed at %v", got)
	}
}

func TestAPictureThatStandsStillIsLookedAtNowAndThen(t *testing.T) {
	t.Parallel()
	f := &film{scenes: repeat(12, 0, appearance{0, 0.5}), flicker: -1}
	if looks := looked(t, f); len(looks) != 3 { // at 0, 1 and 2 seconds
		t.Errorf("looked %d times: %+v", len(looks), looks)
	}
	f = &film{scenes: repeat(12, 0, appearance{0, 0.5}), flicker: -1}
	out := newWorld(1, 0.3).analyzeFilm(t, f)
	if len(out.List) != 1 || len(out.List[0].Observations) != 12 {
		t.Errorf("%d tracklets, want one that is seen in all frames", len(out.List))
	}
}

// fleeting is frames whose pictures are valid until the next one, as those of a decoder are.
type fleeting struct {
	*film
	last *face.Frame
}

func (f *fleeting) Next(ctx context.Context) (*face.Frame, error) {
	if f.last != nil {
		clear(f.last.Small.Planes[0])
	}
	var err error
	f.last, err = f.film.Next(ctx)
	return f.last, err
}

// lying analyses scenes as a stretch whose pictures are upright in these turns (-1: nobody can tell), one after the other,
// and says how many looks it took.
func (w *world) lying(t *testing.T, stretch int, scenes []scene, upright ...int) (out *search.Tracklets, looks int) {
	t.Helper()
	f := &film{world: w, scenes: scenes, from: stretch * 75}
	out, err := search.Analyze(t.Context(), search.Stretch{
		Index: stretch, Frames: &fleeting{film: f}, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
		Upright: func(_ context.Context, p *face.Picture) (int, bool, error) {
			turn := upright[looks%len(upright)]
			if looks++; p.Planes[0][0] < 60 || p.Planes[0][0] > 84 { // of the first shot
				t.Errorf("a picture of another frame: brightness %d", p.Planes[0][0])
			}
			return max(turn, 0), turn >= 0, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, looks
}

func TestAVideoOnItsSideIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0.3)
	scenes := slices.Concat(repeat(74, 0), repeat(1, 1))
	for name, c := range map[string]struct {
		frames  int
		upright []int // of the kept pictures, in each of the stretches
		looks   int
		turn    int
	}{
		"nobody at all":                 {75, []int{-1}, 3, 0},
		"a quarter":                     {75, []int{1}, 3, 1},
		"upside down":                   {75, []int{2}, 3, 2},
		"three quarters":                {75, []int{3}, 3, 3},
		"as it is":                      {75, []int{0}, 2, 0},
		"now this way, now that":        {75, []int{1, 3, 1}, 3, 0},
		"mostly on its side":            {75, []int{1, -1, -1}, 3, 1},
		"somebody sits beside the bed":  {75, []int{1, 0, 1}, 3, 0},
		"two pictures of a short clip":  {6, []int{1}, 2, 1},
		"one picture proves nothing":    {1, []int{1}, 1, 1}, // but those of four stretches do
		"a look every second and later": {20, []int{1}, 2, 1},
	} {
		var stretches []*search.Tracklets
		for n := range 4 {
			on, looks := w.lying(t, n, scenes[:c.frames], c.upright...)
			if looks != c.looks {
				t.Errorf("%s: %d looks, want %d", name, looks, c.looks)
			}
			stretches = append(stretches, on)
		}
		if got := w.finish(t, 1, stretches...).Turn; got != c.turn {
			t.Errorf("%s: turn by %d quarters, want %d", name, got, c.turn)
		}
	}
	one, _ := w.lying(t, 0, scenes[:5], 1)
	if got := w.finish(t, 1, one).Turn; got != 0 {
		t.Errorf("one picture alone turns the video by %d quarters", got)
	}
	seen, looks := w.lying(t, 0, repeat(75, 0, appearance{0, 0.5}), 1)
	if got := w.finish(t, 1, seen).Turn; looks != 0 || got != 0 {
		t.Errorf("somebody is seen beyond doubt: %d looks, turn by %d quarters", looks, got)
	}
}

func TestAFailedLookInTurnsIsTold(t *testing.T) {
	t.Parallel()
	f := &film{world: newWorld(1, 0.3), scenes: repeat(4, 0)}
	boom := errors.New("the model broke")
	_, err := search.Analyze(t.Context(), search.Stretch{
		Frames: f, Detector: f, Embedder: f, Params: search.DefaultParams(scale()), Cohort: evenCohort(),
		Upright: func(context.Context, *face.Picture) (int, bool, error) { return 0, false, boom },
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v", err)
	}
}
