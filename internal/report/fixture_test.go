package report

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds text against testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (rewrite with -update):\n%s", path, diff)
	}
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func id(n int) face.ID { return face.ID{15: byte(n), 14: byte(n >> 8)} }

// portrait is a small JPEG of one colour.
func portrait(tb testing.TB, n int) []byte {
	tb.Helper()
	data, err := os.ReadFile(fmt.Sprintf("testdata/portrait-%d.jpg", n%4))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// seen are sightings of a person every 200 ms from start to end in milliseconds, inclusive.
func seen(person, start, end int, matches ...face.Match) []face.Sighting {
	var out []face.Sighting
	for t := start; t <= end; t += 200 {
		x := 0.1 + 0.15*float32(person%5) + float32(t%5000)/50_000
		out = append(out, face.Sighting{
			Time: ms(t), Person: person, Matches: matches,
			Detection: face.Detection{Box: face.Box{Left: x, Top: 0.3, Width: 0.1, Height: 0.2}, Confidence: 99},
		})
	}
	return out
}

func match(n int, similarity face.Similarity) face.Match {
	return face.Match{ID: id(n), Similarity: similarity, Own: similarity}
}

// inherited is a match that a face has through another sighting of the same person.
func inherited(n int, similarity, own face.Similarity) face.Match {
	return face.Match{ID: id(n), Similarity: similarity, Own: own, Inherited: similarity}
}

// gallery has the given people with a face each, numbered from 1.
func gallery(tb testing.TB, names ...string) Gallery {
	tb.Helper()
	g := Gallery{
		Faces: map[face.ID]face.Enrolled{}, Person: map[face.ID]string{}, Photos: map[face.ID][]byte{},
	}
	for i, name := range names {
		n := id(i + 1)
		g.Faces[n] = face.Enrolled{ID: n, ExternalID: fmt.Sprintf("PERSON_%d.1", i+1)}
		g.Person[n] = name
		g.Photos[n] = portrait(tb, i+1)
	}
	return g
}

// office is a run over three videos: an ordinary one, one without anybody known, and one that failed half-way.
func office(tb testing.TB) *Run {
	tb.Helper()
	info := face.VideoInfo{
		Codec: "h264", Format: "QuickTime / MOV", Duration: 67 * time.Second, FrameRate: 25, Width: 1280, Height: 720,
	}
	long := info
	long.Duration, long.Codec, long.FrameRate = 80*time.Minute, "hevc", 30000.0/1001
	var party []face.Sighting
	party = append(party, seen(0, 3200, 7000, match(1, 98.44), match(2, 81.2))...)
	party = append(party, seen(1, 4000, 4400)...)
	party = append(party, seen(2, 9000, 9000, match(3, 84.5))...)
	party = append(party, seen(0, 12_400, 31_000, match(1, 99.21))...)
	party = append(party, seen(3, 30_000, 42_000)...)
	party = append(party, seen(2, 61_000, 63_000, inherited(3, 93, 61.5))...)
	var walk []face.Sighting
	for i := range 60 {
		walk = append(walk, seen(0, i*75_000, i*75_000+i*400, match(2, 90+face.Similarity(i)/7))...)
	}
	return &Run{
		Gallery: gallery(tb, "Anna", "Bob", "山田花子", "Dora"), Threshold: 80, SampleRate: 5, Version: "1.2.3",
		When: time.Date(2026, 3, 4, 15, 6, 0, 0, time.UTC),
		Videos: []Video{
			{
				Name: "party.mp4", Info: info, Sightings: party, Elapsed: 12_300 * time.Millisecond,
				Portraits: map[int][]byte{0: portrait(tb, 0), 1: portrait(tb, 1), 2: portrait(tb, 2)},
				Warnings:  []string{"the sound could not be read and is ignored"},
				Cautions:  []string{"about 2 of the names may be wrong"},
			},
			{Name: "walk.mkv", Info: long, Sightings: walk},
			{Name: "empty.mp4", Info: info},
			{
				Name: "broken.mov", Info: info, Err: errors.New("read frame at 0:04.0: the file ends early"),
				Sightings: seen(0, 1000, 3000, match(1, 88)),
			},
			{Name: "letter.pdf", Err: errors.New("this is a PDF document, not a video")},
		},
	}
}

// archive is a run over a folder, asked where its people are: some in several videos, one only second to another, some in
// none; videos that failed, that could not be read to the end, and that nobody is in.
func archive(tb testing.TB) *Run {
	tb.Helper()
	info := face.VideoInfo{Codec: "h264", Duration: 2 * time.Minute, FrameRate: 25, Width: 1280, Height: 720}
	names := []string{"Anna", "Bob", "山田花子"}
	for i := range 15 {
		names = append(names, fmt.Sprintf("Nobody %c.", 'A'+i))
	}
	pictures := map[int][]byte{0: portrait(tb, 0), 1: portrait(tb, 1), 2: portrait(tb, 2)}
	video := func(name string, sightings ...[]face.Sighting) Video {
		return Video{
			Name: name, Path: "/archive/" + name, Info: info, Sightings: slices.Concat(sightings...), Portraits: pictures,
		}
	}
	run := &Run{
		By: ByPerson, Gallery: gallery(tb, names...), Threshold: 80, SampleRate: 5, Version: "1.2.3",
		When: time.Date(2026, 3, 4, 15, 6, 0, 0, time.UTC), Folder: "/archive/pages",
		Notes: []string{"archive: passed over as not named like videos: 12 .txt, 1 .jpg"},
		Videos: []Video{
			video("c/party.mp4", seen(0, 3200, 7000, match(1, 99.21), match(2, 81.2)), seen(1, 4000, 4400)),
			video("b/street #1.mp4", seen(0, 1000, 1000, match(1, 88)), seen(1, 9000, 12_400, match(3, 95)), seen(0, 80_200, 83_200, match(1, 91.5))),
			video("b/empty.mp4"),
			video("a/party.mp4", seen(2, 0, 600, inherited(1, 99.21, 85))),
			video("b/half.mkv", seen(0, 0, 400, match(3, 84))),
			video("broken.mov", seen(0, 1000, 3000, match(1, 88))),
			{Name: "letter.pdf", Path: "/archive/letter.pdf", Err: errors.New("this is a PDF document, not a video")},
		},
	}
	run.Videos[1].Cautions = []string{"about 2 of the names may be wrong"}
	run.Videos[4].Warnings = []string{"the file ends too early", "the sound is ignored"}
	run.Videos[4].Partial = run.Videos[4].Warnings[:1]
	run.Videos[5].Err = errors.New("read frame at 0:04.0: the file ends early")
	return run
}
