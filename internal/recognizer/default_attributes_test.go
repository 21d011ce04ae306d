package recognizer

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
)

// Tests of the default pack's attributes.

// attributesRecognizer is one of the default pack, if that has attributes.
func attributesRecognizer(tb testing.TB) *Recognizer {
	tb.Helper()
	r := newRecognizer(tb, "", Options{})
	if r.pack.manifest.Attributes == nil {
		tb.Skip("the model pack is an older one: run 'make setup'")
	}
	return r
}

// TestGroupPhotosAttributes knows the photos: 21 women, looked at one by one. What is between smiling and serious, or
// open and shut, is left out.
func TestGroupPhotosAttributes(t *testing.T) {
	t.Parallel()
	r := attributesRecognizer(t)
	known := map[string]struct{ smile, serious, mouthOpen, mouthShut, eyesClosed []int }{
		"sample1.jpg": {smile: []int{0}, mouthOpen: []int{0}, mouthShut: []int{1}, eyesClosed: []int{2}},
		"sample2.jpg": {serious: []int{1, 2}, mouthShut: []int{1, 2}, eyesClosed: []int{2}},
		"sample3.jpg": {smile: []int{0, 1}, mouthOpen: []int{1}, mouthShut: []int{2}},
		"sample4.jpg": {smile: []int{0}, mouthOpen: []int{0}},
		"sample5.jpg": {mouthOpen: []int{1, 2}},
		"sample6.jpg": {smile: []int{0, 1, 3}, serious: []int{2}, mouthOpen: []int{0}, mouthShut: []int{2}},
	}
	seen := 0
	for name, k := range known {
		p := groupPhoto(t, name)
		faces, err := r.Faces(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range faces {
			if f.Refused != "" {
				continue
			}
			seen++
			a := attributesOf(t, r, p, &f.Detection)
			if !a.Gender.Female || a.Age.Low > 35 || a.Age.High < 18 || a.Age.High-a.Age.Low > 20 {
				t.Errorf("%s, face %d: %+v of %+v years", name, i, *a.Gender, *a.Age)
			}
			if a.EyesOpen.Value == slices.Contains(k.eyesClosed, i) {
				t.Errorf("%s, face %d: eyes open is %+v", name, i, *a.EyesOpen)
			}
			says(t, name, i, a.Smile, k.smile, k.serious)
			says(t, name, i, a.MouthOpen, k.mouthOpen, k.mouthShut)
			if slices.Contains(k.smile, i) && a.Emotions[0].Type != face.Happy {
				t.Errorf("%s, face %d: emotions are %+v", name, i, a.Emotions)
			}
			lieAround(t, f.Detection.Box, a.Further)
		}
	}
	if seen != 21 {
		t.Errorf("%d faces were seen", seen)
	}
}

// says checks a trait that the faces in yes have and those in no lack.
func says(t *testing.T, name string, i int, trait *face.Trait, yes, no []int) {
	t.Helper()
	if (slices.Contains(yes, i) && !trait.Value) || (slices.Contains(no, i) && trait.Value) {
		t.Errorf("%s, face %d: %+v", name, i, *trait)
	}
}

func lieAround(t *testing.T, b face.Box, points *face.FurtherLandmarks) {
	t.Helper()
	for i, q := range points {
		if c := b.Center(); math.Abs(float64(q.X-c.X)) > float64(b.Height) || math.Abs(float64(q.Y-c.Y)) > float64(b.Height) {
			t.Errorf("%s lies at %v, the face at %+v", face.FurtherLandmarkNames()[i], q, b)
		}
	}
}

func attributesOf(t *testing.T, r *Recognizer, p *face.Picture, d *face.Detection) *face.Attributes {
	t.Helper()
	a, err := r.Attributes(t.Context(), p, d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAttributesOfVideoAndPhotoAgree also sees that attributes leave everything else as it was.
func TestAttributesOfVideoAndPhotoAgree(t *testing.T) {
	t.Parallel()
	r := attributesRecognizer(t)
	p := groupPhoto(t, "sample6.jpg")
	video := toI420(p)
	before, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range before {
		a, b := attributesOf(t, r, p, &f.Detection), attributesOf(t, r, video, &f.Detection)
		if math.Abs(float64(a.Age.Low-b.Age.Low)) > 3 || math.Abs(float64(a.Gender.Confidence-b.Gender.Confidence)) > 5 ||
			a.Emotions[0].Type != b.Emotions[0].Type || a.MouthOpen.Value != b.MouthOpen.Value {
			t.Errorf("face %d: %+v and %+v", i, a, b)
		}
	}
	after, err := r.Faces(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if before[i].Detection != after[i].Detection ||
			!slices.Equal(before[i].Sample.Embedding.Vector, after[i].Sample.Embedding.Vector) {
			t.Errorf("face %d differs after attributes were asked for", i)
		}
	}
}

// TestAttributesOfLFW judges gender by first names and age by years of birth; the photos are of about 2002. One photo a
// person. docs/decisions/0003-default-pack.md has the figures of all photos.
func TestAttributesOfLFW(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("looks at some 300 photos")
	}
	r := attributesRecognizer(t)
	women := strings.Fields(`Alicia Amanda Amy Angela Ann Anna Anne Barbara Carolyn Caroline Cathy Cecilia Christine Cindy
		Claire Claudia Denise Diane Donna Elena Elizabeth Emma Erika Gloria Heather Heidi Helene Irina Jane Janet Jennifer
		Jessica Julia Julie Karen Kristen Laura Lauren Lisa Lucy Maria Martha Mary Melissa Michelle Monica Nancy Natalie
		Pamela Patricia Paula Rachel Rebecca Ruth Sally Sarah Shirley Stephanie Sue Susan Teresa Tina Vanessa Victoria`)
	men := strings.Fields(`Alan Andrew Ben Bill Bob Brian Bruce Carlos Charles David Donald Edward Eric Frank George Greg
		Gregory Henry Jack James Jason Jeff Jim John Joseph Keith Kevin Larry Mario Martin Matthew Mike Paul Peter Richard
		Rick Robert Roger Scott Steve Steven Thomas Tim Timothy Tom Tony William`)
	born := map[string]float64{
		"Alan_Greenspan": 1926, "Alicia_Keys": 1981, "Amanda_Bynes": 1986, "Bertie_Ahern": 1951, "Bruce_Willis": 1955,
		"Cindy_Crawford": 1966, "Claire_Danes": 1979, "Donald_Rumsfeld": 1932, "Emma_Watson": 1990, "Gerhard_Schroeder": 1944,
		"Gordon_Brown": 1951, "Gwyneth_Paltrow": 1972, "Ian_Thorpe": 1982, "Jack_Nicholson": 1937, "Jack_Welch": 1935,
		"Jacques_Chirac": 1932, "Jake_Gyllenhaal": 1980, "James_Franco": 1978, "Jennifer_Connelly": 1970, "Jiang_Zemin": 1926,
		"Jimmy_Carter": 1924, "John_Travolta": 1954, "Johnny_Depp": 1963, "Kofi_Annan": 1938, "Laura_Linney": 1964,
		"LeBron_James": 1984, "Lucy_Liu": 1968, "Mahmoud_Abbas": 1935, "Martin_Sheen": 1940, "Michael_Phelps": 1985,
		"Michelle_Yeoh": 1962, "Monica_Lewinsky": 1973, "Nancy_Pelosi": 1940, "Nicolas_Sarkozy": 1955, "Paul_Newman": 1925,
		"Paula_Abdul": 1962, "Penelope_Cruz": 1974, "Richard_Gere": 1949, "Robert_Redford": 1936, "Rupert_Grint": 1988,
		"Salma_Hayek": 1966, "Sean_Penn": 1960, "Silvio_Berlusconi": 1936, "Steffi_Graf": 1969, "Susan_Collins": 1952,
		"Thabo_Mbeki": 1942, "Tom_Cruise": 1962, "Vaclav_Havel": 1936, "Vicente_Fox": 1942, "Victoria_Beckham": 1974,
		"Warren_Buffett": 1930, "Will_Smith": 1968, "William_Rehnquist": 1924, "Winona_Ryder": 1971, "Yoriko_Kawaguchi": 1941,
	}
	seen := map[string]bool{}
	var right, all [2]int // men, women
	within, aged := 0, 0
	wanted := func(name string) bool {
		person, first := personOf(name)
		known := born[person] > 0 || slices.Contains(women, first) || slices.Contains(men, first)
		return known && !seen[person]
	}
	eachPhoto(t, evaluation(t, "lfw", "lfw-dev.tar"), wanted, func(name string, file []byte) {
		person, first := personOf(name)
		seen[person] = true
		a := lookedAt(t, r, file)
		if woman := slices.Contains(women, first); woman || slices.Contains(men, first) {
			i := 0
			if woman {
				i = 1
			}
			all[i]++
			if a.Gender.Female == woman {
				right[i]++
			}
		}
		if year := born[person]; year > 0 {
			aged++
			if age := 2002.7 - year; float64(a.Age.Low)-.5 <= age && age <= float64(a.Age.High)+.5 {
				within++
			}
		}
	})
	t.Logf("men: %d of %d right, women: %d of %d; %d of %d ages within their range", right[0], all[0], right[1], all[1], within, aged)
	if all[0] < 100 || all[1] < 80 || aged < 50 {
		t.Fatal("too few photos to judge by")
	}
	if m, w := float64(right[0])/float64(all[0]), float64(right[1])/float64(all[1]); m < .96 || w < .88 {
		t.Errorf("the gender is right for %.3f of the men and %.3f of the women", m, w)
	}
	if share := float64(within) / float64(aged); share < .7 {
		t.Errorf("%.3f of the ages lie within their range instead of some .8", share)
	}
}

// personOf is who a photo of LFW shows, and the person's first name.
func personOf(name string) (person, first string) {
	person = name[:len(name)-len("_0001")]
	first, _, _ = strings.Cut(person, "_")
	return person, first
}

func lookedAt(t *testing.T, r *Recognizer, file []byte) *face.Attributes {
	t.Helper()
	p, err := photo.Decode(bytes.NewReader(file), photo.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	f, err := subject(t, r, p)
	if err != nil {
		t.Fatal(err)
	}
	return attributesOf(t, r, p, &f.Detection)
}

// BenchmarkAttributes tells the cost of one face's attributes; BenchmarkEmbed is what to compare it with.
func BenchmarkAttributes(b *testing.B) {
	benchmarkFace(b, func(r *Recognizer, p *face.Picture, d *face.Detection) error {
		_, err := r.Attributes(b.Context(), p, d)
		return err
	})
}

// BenchmarkEmbed tells the cost of one face's alignment and embedding.
func BenchmarkEmbed(b *testing.B) {
	var crop face.Crop
	benchmarkFace(b, func(r *Recognizer, p *face.Picture, d *face.Detection) error {
		r.Align(p, d, &crop)
		_, err := r.Embed(b.Context(), &crop)
		return err
	})
}

func benchmarkFace(b *testing.B, do func(*Recognizer, *face.Picture, *face.Detection) error) {
	b.Helper()
	r, p := attributesRecognizer(b), groupPhoto(b, "sample6.jpg")
	faces, err := r.Faces(b.Context(), p)
	if err != nil || len(faces) == 0 {
		b.Fatalf("%d faces, %v", len(faces), err)
	}
	for b.Loop() {
		if err := do(r, p, &faces[0].Detection); err != nil {
			b.Fatal(err)
		}
	}
}
