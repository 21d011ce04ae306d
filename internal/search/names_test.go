package search_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
)

// lean is a unit vector in the plane of the first axis and another one, with this cosine to the first.
func lean(cosine float64, axis int) []float32 {
	v := make([]float32, dim)
	v[0], v[axis] = float32(cosine), float32(math.Sqrt(1-cosine*cosine))
	return v
}

// seen is a tracklet of one second, at a second of its own.
func seen(at int, vector []float32) search.Tracklet {
	t := search.Tracklet{Track: at, Embedding: face.Embedding{Model: "test", Vector: vector}, Weight: 10}
	for i := range 5 {
		t.Observations = append(t.Observations, search.Observation{
			Time:      time.Duration(at)*2*time.Second + time.Duration(i)*interval,
			Detection: face.Detection{Box: face.Box{Left: 0.4, Top: 0.3, Width: 0.1, Height: 0.2}, Confidence: 95},
		})
	}
	return t
}

// answer finishes tracklets against enrolled faces and returns each tracklet's matches and person, by its second.
func answer(t *testing.T, list []search.Tracklet, enrolled [][]float32, threshold face.Similarity) (map[int][]face.Match, map[int]int) {
	t.Helper()
	in := (&world{}).matching(0)
	in.Gallery, in.Threshold = gallery{enrolled}, threshold
	r, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
	if err != nil {
		t.Fatal(err)
	}
	matches, persons := map[int][]face.Match{}, map[int]int{}
	for _, s := range r.Sightings {
		at := int(s.Time / (2 * time.Second))
		matches[at], persons[at] = s.Matches, s.Person
	}
	return matches, persons
}

// In the worlds of these tests the normalised score is eight times the cosine: .3 is a similarity of 50, .5 one of 80.

func TestANameIsInheritedAsStronglyAsTheTwoAreAlike(t *testing.T) {
	t.Parallel()
	known := lean(1, 1)
	sure, turned := lean(0.9, 1), lean(0.45, 1) // the second is too turned to be sure of, and much like the first
	for _, threshold := range []face.Similarity{0, 50, 80} {
		matches, persons := answer(t, []search.Tracklet{seen(0, sure), seen(1, turned)}, [][]float32{known}, threshold)
		if persons[0] != persons[1] || len(matches[1]) != 1 {
			t.Fatalf("at %v: persons %v, matches %v", threshold, persons, matches[1])
		}
		own, inherited := matches[1][0].Own, matches[1][0].Inherited
		if own >= 80 || inherited < 80 || matches[1][0].Similarity != inherited {
			t.Errorf("%+v, want a similarity below 80 of its own and one above that it inherits", matches[1][0])
		}
		if first := matches[0][0]; inherited >= first.Own || first.Inherited != 0 || first.Similarity != first.Own {
			t.Errorf("%+v is passed on as %v", first, inherited)
		}
	}
}

func TestOnlyTheBestNameIsPassedOn(t *testing.T) {
	t.Parallel()
	ann, bea := lean(1, 1), lean(0.5, 1) // who look alike
	matches, persons := answer(t, []search.Tracklet{seen(0, lean(0.95, 2)), seen(1, lean(0.62, 3))}, [][]float32{ann, bea}, 30)
	if persons[0] != persons[1] {
		t.Fatal("two persons: they are not alike enough for this test")
	}
	for _, m := range matches[1] {
		if m.ID == (face.ID{1}) && m.Inherited != 0 {
			t.Errorf("the second best name is passed on: %+v", matches[1])
		}
	}
	if len(matches[0]) != 2 || len(matches[1]) != 2 || matches[0][1].Own <= matches[1][1].Own {
		t.Fatalf("%v and %v do not try it", matches[0], matches[1])
	}
}

func TestTwoNamesAreTwoPeopleWhoeverIsBetweenThem(t *testing.T) {
	t.Parallel()
	ann, bea, between := lean(0.8, 1), lean(0.8, 2), lean(1, 1)
	photos := [][]float32{lean(0.3, 1), lean(0.3, 2)} // sure for Ann and Bea, and for nobody else
	_, persons := answer(t, []search.Tracklet{seen(0, between), seen(1, ann), seen(2, bea)}, photos, 80)
	if persons[1] == persons[2] || persons[0] == 2 {
		t.Errorf("persons %v", persons)
	}
}

func TestAStrangerInheritsNoNameThatItsOwnFaceContradicts(t *testing.T) {
	t.Parallel()
	known := lean(1, 1)
	sure := lean(0.75, 1)
	// as much like the other tracklet as one person's are, and not at all like the photo
	stranger := make([]float32, dim)
	stranger[0], stranger[1], stranger[2] = 0.2, 0.85, float32(math.Sqrt(1-0.2*0.2-0.85*0.85))
	for _, threshold := range []face.Similarity{10, 50} {
		matches, persons := answer(t, []search.Tracklet{seen(0, sure), seen(1, stranger)}, [][]float32{known}, threshold)
		if persons[0] != persons[1] {
			t.Fatal("two persons: they are not alike enough for this test")
		}
		if len(matches[1]) > 0 && matches[1][0].Similarity >= 50 {
			t.Errorf("at %v the stranger is named: %+v", threshold, matches[1])
		}
	}
}

func TestABrotherKeepsHisOwnSimilarity(t *testing.T) {
	t.Parallel()
	known := lean(1, 1)
	brother := lean(0.62, 2) // of the enrolled one: enough for a similarity of 85, and alike enough to be joined with him
	list := []search.Tracklet{seen(0, lean(0.99, 1)), seen(1, brother)}
	for _, threshold := range []face.Similarity{50, 80, 90, 99} {
		matches, persons := answer(t, list, [][]float32{known}, threshold)
		if persons[0] != persons[1] {
			t.Fatal("two persons: they are not alike enough for this test")
		}
		if threshold > 90 && len(matches[1]) > 0 || threshold <= 80 && (len(matches[1]) != 1 || matches[1][0].Similarity > 87) {
			t.Errorf("at %v the brother is %+v", threshold, matches[1])
		}
	}
}

func TestNobodyInheritsAgainstABetterMatchOfTheirOwn(t *testing.T) {
	t.Parallel()
	ann, bea := lean(1, 1), make([]float32, dim)
	bea[1] = 1
	probe := make([]float32, dim) // a little like Ann, more like Bea, and seen with nobody sure
	probe[0], probe[1], probe[2] = 0.4, 0.49, float32(math.Sqrt(1-0.4*0.4-0.49*0.49))
	like := make([]float32, dim) // Ann beyond doubt, and as much like the probe as one person's are
	like[0], like[2] = 0.7, float32(math.Sqrt(1-0.7*0.7))
	matches, persons := answer(t, []search.Tracklet{seen(0, like), seen(1, probe)}, [][]float32{ann, bea}, 50)
	if persons[0] != persons[1] {
		t.Fatal("two persons: they are not alike enough for this test")
	}
	best := matches[1][0]
	if best.ID != (face.ID{0}) || best.Inherited == 0 {
		t.Fatalf("%+v: Ann's name is stronger than what speaks for Bea, and is not inherited", matches[1])
	}
	like[0], like[2] = 0.45, float32(math.Sqrt(1-0.45*0.45)) // now Ann is less likely than Bea
	matches, persons = answer(t, []search.Tracklet{seen(0, like), seen(1, probe)}, [][]float32{ann, bea}, 50)
	if persons[0] != persons[1] || len(matches[1]) != 2 {
		t.Fatalf("persons %v, matches %v", persons, matches)
	}
	if matches[1][0].ID != (face.ID{1}) || matches[1][1].Inherited != 0 || matches[1][1].Own >= matches[0][0].Own {
		t.Errorf("%+v beside %+v", matches[1], matches[0])
	}
}

// TestAHigherThresholdFilters is the promise of [search.Matching.Threshold].
func TestAHigherThresholdFilters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.IntRange(2, 6).Draw(t, "actors"), rapid.Float64Range(0.2, 2).Draw(t, "noise"))
		alike := rapid.Float64Range(0, 1).Draw(t, "alike")
		for a := 1; a < len(w.faces); a++ {
			for i := range w.faces[a] {
				w.faces[a][i] = float32(alike)*w.faces[0][i] + float32(1-alike)*w.faces[a][i]
			}
			if _, err := face.Normalize(w.faces[a]); err != nil {
				t.Skip(err)
			}
		}
		var list []search.Tracklet
		for at := range rapid.IntRange(1, 30).Draw(t, "tracklets") {
			list = append(list, seen(at, w.direction(w.faces[at%len(w.faces)])))
		}
		in := w.matching(len(w.faces) - 1)
		in.MaxMatches = rapid.IntRange(1, 10).Draw(t, "most")
		in.Threshold = face.Similarity(rapid.Float32Range(0, 99).Draw(t, "low"))
		low, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
		if err != nil {
			t.Fatal(err)
		}
		in.Threshold = face.Similarity(rapid.Float32Range(float32(in.Threshold), 100).Draw(t, "high"))
		high, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range low.Sightings {
			s.Matches = slices.DeleteFunc(slices.Clone(s.Matches), func(m face.Match) bool { return m.Similarity < in.Threshold })
			if got := high.Sightings[i]; got.Person != s.Person || !slices.Equal(got.Matches, s.Matches) {
				t.Fatalf("at %v: person %d %v, want person %d %v", s.Time, got.Person, got.Matches, s.Person, s.Matches)
			}
		}
	})
}

func TestACopyOfAVideoFindsWhatTheVideoFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(8, 1.7)
	var once []search.Tracklet
	for at := range 40 {
		once = append(once, seen(at, w.direction(w.faces[at%8])))
	}
	named := func(copies int) (sightings, persons int) {
		var list []search.Tracklet
		for c := range copies {
			for at, s := range once {
				list = append(list, seen(len(once)*c+at, s.Embedding.Vector))
			}
		}
		r, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, w.matching(6))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range r.Sightings {
			if len(s.Matches) > 0 {
				sightings++
			}
		}
		return sightings, r.Persons
	}
	sightings, persons := named(1)
	if sightings < 50 || sightings > 140 {
		t.Fatalf("%d of 150 sightings are named: too easy or too hard for this test", sightings)
	}
	for _, copies := range []int{4, 16, 76} {
		gotSightings, gotPersons := named(copies)
		if gotSightings != copies*sightings || gotPersons != persons {
			t.Errorf("%d copies: %.2f sightings a copy are named and %d persons seen, once %d and %d",
				copies, float64(gotSightings)/float64(copies), gotPersons, sightings, persons)
		}
	}
}

func TestStrangersStayStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(1500, 0)
	var list []search.Tracklet
	for at, v := range w.faces {
		list = append(list, seen(at, v))
	}
	in := w.matching(0)
	in.Params.Scale.SamePerson = 4.76 // one in a million of these pairs of directions reaches it
	r, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Persons < len(list)-10 {
		t.Errorf("%d strangers are %d persons", len(list), r.Persons)
	}
}

func TestFewPeopleOfManyTrackletsAreFewPersons(t *testing.T) {
	t.Parallel()
	w := newWorld(5, 0.6)
	var list []search.Tracklet
	for at := range 300 {
		s := seen(at, w.direction(w.faces[at%5]))
		s.Weight = 1 + float64(at%7)
		list = append(list, s)
	}
	_, persons := answer(t, list, nil, 80)
	for at, p := range persons {
		if p != at%5 {
			t.Fatalf("tracklet %d of person %d is person %d", at, at%5, p)
		}
	}
}

// TestAPairIsJudgedFromBothSides: a face that strangers resemble is not joined with whoever resembles it.
func TestAPairIsJudgedFromBothSides(t *testing.T) {
	t.Parallel()
	common, rare := lean(1, 1), lean(0.6, 1)
	in := (&world{}).matching(0)
	in.Cohort.Mean[0] = 0.25 // strangers score .25 against the one and .15 against the other
	in.Cohort.Covariance[0] = 4.0 / dim
	likeness := func() float64 {
		a, b := in.Cohort.Impostors(common), in.Cohort.Impostors(rare)
		return (a.Normalise(0.6) + b.Normalise(0.6)) / 2
	}()
	for _, tt := range []struct {
		bar  float64
		want int
	}{{likeness - 0.05, 1}, {likeness + 0.05, 2}} {
		in.Params.Scale.SamePerson = tt.bar
		for _, list := range [][]search.Tracklet{{seen(0, common), seen(1, rare)}, {seen(0, rare), seen(1, common)}} {
			r, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
			if err != nil {
				t.Fatal(err)
			}
			if r.Persons != tt.want {
				t.Errorf("bar %.2f: %d persons, want %d", tt.bar, r.Persons, tt.want)
			}
		}
	}
}

func TestPiecesOfATrackAreOnePersonAndBearNoName(t *testing.T) {
	t.Parallel()
	known := lean(1, 1)
	sure, blurred, lone := seen(0, lean(0.9, 1)), seen(1, lean(0, 2)), seen(2, nil)
	blurred.Weight, blurred.Track, lone.Weight, lone.Track = 0.1, sure.Track, 0, sure.Track
	other := seen(3, lean(0, 3)) // well seen: somebody else, whatever the tracker thought
	other.Track = sure.Track
	matches, persons := answer(t, []search.Tracklet{sure, blurred, lone, other}, [][]float32{known}, 50)
	if persons[1] != persons[0] || persons[2] != persons[0] || persons[3] == persons[0] {
		t.Errorf("persons %v", persons)
	}
	if len(matches[0]) != 1 || len(matches[1]) != 0 || len(matches[2]) != 0 {
		t.Errorf("matches %v", matches)
	}
}

func TestAPackOfAnotherScaleGivesTheSameAnswer(t *testing.T) {
	t.Parallel()
	scenes := slices.Concat(
		repeat(12, 0, appearance{0, 0.3}, appearance{1, 0.7}), repeat(12, 0, appearance{2, 0.3}, appearance{1, 0.7}),
		repeat(12, 1, appearance{0, 0.5}),
	)
	run := func(in search.Matching, wrap func(*film) search.Embedder) *search.Result {
		w := newWorld(3, 0.6)
		for i, x := range w.faces[0] {
			w.faces[2][i] = -x
		}
		f := &film{world: w, scenes: scenes}
		out, err := search.Analyze(t.Context(), search.Stretch{Frames: f, Detector: f, Embedder: wrap(f), Params: in.Params, Cohort: in.Cohort})
		if err != nil {
			t.Fatal(err)
		}
		faces := w.faces[:2]
		if len(in.Cohort.Mean) > dim {
			faces = [][]float32{lifted(faces[0]), lifted(faces[1])}
		}
		in.Gallery = gallery{faces}
		r, err := search.Finish(t.Context(), []*search.Tracklets{out}, in)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	plain := (&world{}).matching(0)
	want := run(plain, func(f *film) search.Embedder { return f })
	other := plain
	other.Params.Scale = face.Scale{
		PoolFloor: 30, PoolLeast: 1, Split: 2 * 2, SplitSure: 2 * 3.2, Sure: 4 * 20 * 20, SamePerson: 2 * 4.1,
		Weak: 0.5 * 20 * 20,
	}
	other.Cohort = liftedCohort()
	other.Calibration = &face.Calibration{Points: []face.CalibrationPoint{{Normalised: 4.8, Similarity: 50}, {Normalised: 8, Similarity: 80}}}
	got := run(other, func(f *film) search.Embedder { return loud{f} })
	if got.Persons != want.Persons || len(got.Sightings) != len(want.Sightings) || want.Persons < 3 {
		t.Fatalf("%d persons, want %d", got.Persons, want.Persons)
	}
	for i, s := range got.Sightings {
		same := slices.EqualFunc(s.Matches, want.Sightings[i].Matches, func(a, b face.Match) bool {
			return a.ID == b.ID && math.Abs(float64(a.Similarity-b.Similarity)) < 1
		})
		if s.Person != want.Sightings[i].Person || !same {
			t.Errorf("at %v: person %d %v, want %d %v", s.Time, s.Person, s.Matches, want.Sightings[i].Person, want.Sightings[i].Matches)
		}
	}
}

// lifted is a vector as another model would give it: all its faces have a direction in common, so that a cosine of c
// becomes (c + 1) / 2. The mean of several noisy ones is not quite the lifted mean, which is what similarities may differ by.
func lifted(v []float32) []float32 {
	out := make([]float32, dim+1)
	for i, x := range v {
		out[i] = x / float32(math.Sqrt2)
	}
	out[dim] = float32(math.Sqrt(0.5))
	return out
}

// liftedCohort is that of lifted vectors, with half of their deviation, so that normalised scores are twice as high.
func liftedCohort() *face.Cohort {
	const n = dim + 1
	c := &face.Cohort{Mean: make([]float32, n), Covariance: make([]float32, n*n)}
	c.Mean[dim] = float32(math.Sqrt(0.5))
	for i := range dim {
		c.Covariance[i*n+i] = 1.0 / dim / 2 / 4
	}
	return c
}

// loud is an embedder whose embeddings are lifted and whose norms are twenty times as long.
type loud struct{ *film }

func (l loud) lift(s face.Sample, err error) (face.Sample, error) {
	s.Embedding.Vector, s.Norm = lifted(s.Embedding.Vector), 20*s.Norm
	return s, err
}

func (l loud) Embed(ctx context.Context, crop *face.Crop) (face.Sample, error) {
	return l.lift(l.film.Embed(ctx, crop))
}

func (l loud) EmbedView(ctx context.Context, crop *face.Crop, mirrored bool) (face.Sample, error) {
	return l.lift(l.film.EmbedView(ctx, crop, mirrored))
}

func TestEveryOtherSampleIsMirroredAndNoMoreAreEmbeddedThanSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		noise, settled  float64
		views, mirrored int
	}{
		{0.3, 1, 10, 5},
		{0.3, 0.94, 3, 1}, // crops that are alike: a few do for all
		{8, 0.94, 10, 5},  // crops that are not
	} {
		w := newWorld(1, c.noise)
		f := &film{world: w, scenes: repeat(30, 0, appearance{0, 0.5})}
		params := search.DefaultParams(scale())
		params.Settled = c.settled
		out, err := search.Analyze(t.Context(), search.Stretch{Frames: f, Detector: f, Embedder: f, Params: params, Cohort: evenCohort()})
		if err != nil {
			t.Fatal(err)
		}
		// Each of ten crops weighs 4, whether it is embedded or not.
		if weight := out.List[0].Weight; c.noise < 1 && math.Abs(weight-40) > 0.1 {
			t.Errorf("settled %v: the tracklet weighs %v, want 40", c.settled, weight)
		}
		if f.views != c.views || f.mirrored != c.mirrored {
			t.Errorf("noise %v, settled %v: %d of %d views are mirrored, want %d of %d", c.noise, c.settled, f.mirrored, f.views, c.mirrored, c.views)
		}
	}
}

func TestATrackletThatWasGoneForLongOrIsBehindACutIsAnother(t *testing.T) {
	t.Parallel()
	// The next stretch begins at once, or ten seconds later, or with another shot.
	for _, tt := range []struct{ from, shot, lists int }{{8, 0, 1}, {58, 0, 2}, {8, 1, 2}} {
		w := newWorld(2, 0.9)
		in := w.matching(2)
		r, err := search.Finish(t.Context(), []*search.Tracklets{
			w.analyze(t, 0, 0, repeat(8, 0, appearance{0, 0.3})), w.analyze(t, 1, tt.from, repeat(8, tt.shot, appearance{0, 0.3})),
		}, in)
		if err != nil {
			t.Fatal(err)
		}
		lists := map[*face.Match]bool{}
		for _, s := range r.Sightings {
			lists[&s.Matches[0]] = true
		}
		if len(lists) != tt.lists {
			t.Errorf("next stretch at frame %d, shot %d: %d tracklets, want %d", tt.from, tt.shot, len(lists), tt.lists)
		}
	}
}

func TestPersonsDoNotDependOnTheOrderOfSightings(t *testing.T) {
	t.Parallel()
	w := newWorld(4, 0.5)
	var list []search.Tracklet
	for at := range 20 {
		list = append(list, seen(at, w.direction(w.faces[at%4])))
	}
	_, want := answer(t, list, w.faces[:2], 80)
	slices.SortStableFunc(list, func(a, b search.Tracklet) int { return cmp.Compare(b.Start(), a.Start()) })
	if _, got := answer(t, list, w.faces[:2], 80); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPeopleAreAskedForOnce: all who match are named together, and without their names there is no answer.
func TestPeopleAreAskedForOnce(t *testing.T) {
	t.Parallel()
	list := []search.Tracklet{seen(0, lean(0.95, 1)), seen(1, lean(0.9, 2)), seen(2, lean(0, 5))}
	in := (&world{}).matching(0)
	in.Gallery = gallery{[][]float32{lean(1, 1), lean(0.97, 1), lean(0, 9)}}
	asked := [][]face.ID{}
	in.People = func(_ context.Context, ids []face.ID) (map[face.ID]string, error) {
		asked = append(asked, ids)
		return map[face.ID]string{}, nil // nobody has a name: each is a person of their own
	}
	named, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in)
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || len(asked[0]) != 2 || asked[0][0] == asked[0][1] {
		t.Errorf("asked for %v, want the two faces that match, once", asked)
	}
	in.People = nil
	if unnamed, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in); err != nil || !reflect.DeepEqual(named, unnamed) {
		t.Errorf("without names: %v, want %v; %v", unnamed, named, err)
	}
	lost := errors.New("connection lost")
	in.People = func(context.Context, []face.ID) (map[face.ID]string, error) { return nil, lost }
	if _, err := search.Finish(t.Context(), []*search.Tracklets{{List: list}}, in); !errors.Is(err, lost) {
		t.Errorf("names are lost, and the error is %v", err)
	}
}
