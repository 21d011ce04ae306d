package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ folder, path, want string }{
		{"/a", "/a/clip.mp4", "./clip.mp4"},
		{"/a/pages", "/a/b/clip.mp4", "../b/clip.mp4"},
		{"/", "/javascript:alert(1)", "./javascript:alert%281%29"},
		{"/a", "/a/50 % #1?.mp4", "./50%20%25%20%231%3F.mp4"},
		{"/a", "/a/..mp4", "./..mp4"},
		{"/a", `/a/"><b>'.mp4`, "./%22%3E%3Cb%3E%27.mp4"},
		{"", "/a/clip.mp4", ""},
		{"/a", "", ""},
		{"/a", "clip.mp4", ""},
	} {
		if got := link(&Run{Folder: tc.folder}, &Video{Path: tc.path}); got != tc.want {
			t.Errorf("from %q to %q: %q, want %q", tc.folder, tc.path, got, tc.want)
		}
	}
	for at, want := range map[time.Duration]string{0: "#t=0", ms(83_299): "#t=83.2", ms(-5): "#t=0", 2 * time.Hour: "#t=7200"} {
		if got := moment("", at); got != want {
			t.Errorf("%v is %s, want %s", at, got, want)
		}
	}
}

// TestLinksLeadToTheFile follows links as a browser does, for any name that a file can have.
func TestLinksLeadToTheFile(t *testing.T) {
	t.Parallel()
	name := rapid.StringMatching(`[^/\x00]{1,6}`).Filter(func(s string) bool { return s != "." && s != ".." })
	rapid.Check(t, func(t *rapid.T) {
		folder, file := "/"+name.Draw(t, "folder"), "/"+path.Join(rapid.SliceOfN(name, 1, 3).Draw(t, "path")...)
		if folder == file {
			t.Skip("a folder is no video")
		}
		base := &url.URL{Scheme: "file", Path: folder + "/page.html"}
		ref, err := url.Parse(moment(link(&Run{Folder: folder}, &Video{Path: file}), ms(3200)))
		if err != nil {
			t.Fatal(err)
		}
		if ref.Scheme != "" || ref.Host != "" || ref.Fragment != "t=3.2" {
			t.Fatalf("link %s", ref)
		}
		if got := base.ResolveReference(ref); got.Path != file {
			t.Fatalf("link %s leads from %q to %q, want %q", ref, folder, got.Path, file)
		}
	})
}

// TestPageByPersonWithoutAPlaceHasNoLinks is for a page that is printed, or of videos that are no files here.
func TestPageByPersonWithoutAPlaceHasNoLinks(t *testing.T) {
	t.Parallel()
	run := archive(t)
	run.Folder = ""
	text := render(t, run)
	if strings.Contains(text, "#t=") || !strings.Contains(text, `data-time="00:01:20.200" title="Copy 00:01:20.200"`) {
		t.Error("the page has links, or no times to copy")
	}
}

// noise is a JPEG as large as a portrait of a face is.
func noise(tb testing.TB, seed uint64) []byte {
	tb.Helper()
	d := rand.New(rand.NewPCG(seed, 1))
	picture := image.NewRGBA(image.Rect(0, 0, 160, 160))
	for y := range 160 {
		for x := range 160 {
			picture.SetRGBA(x, y, color.RGBA{uint8(x + d.IntN(24)), uint8(y + d.IntN(24)), uint8(x ^ y), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 80}); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// large is a run of many videos with so many people in each, who are seen so often.
func large(tb testing.TB, videos, people, places int) *Run {
	tb.Helper()
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("Person Number %d", i+1)
	}
	run := &Run{By: ByPerson, Gallery: gallery(tb, names...), Threshold: 80, SampleRate: 5, Folder: "/srv/pages"}
	pictures := make([][]byte, 16)
	for i := range pictures {
		pictures[i] = noise(tb, uint64(i))
	}
	for i := range names {
		run.Gallery.Photos[id(i+1)] = pictures[i%16]
	}
	for i := range videos {
		name := fmt.Sprintf("archive/2026-03/camera %d/2026-03-04_%04d.mp4", i%7, i)
		v := Video{Name: name, Path: "/srv/" + name, Portraits: map[int][]byte{}}
		v.Info.Duration = time.Hour
		for j := range people {
			for k := range places {
				v.Sightings = append(v.Sightings, seen(j, k*60_000, k*60_000, match((i*people+j)%200+1, 81+face.Similarity((i+k)%19)))...)
			}
			v.Portraits[j] = pictures[(i+j)%16]
		}
		run.Videos = append(run.Videos, v)
	}
	return run
}

func TestLargePageByPersonStaysSmall(t *testing.T) {
	t.Parallel()
	const most = 5_000_000
	for _, tc := range []struct{ videos, people, places int }{{1000, 3, 5}, {1000, 8, 12}, {40, 4, 150}, {200, 1, 25}} {
		text := render(t, large(t, tc.videos, tc.people, tc.places))
		people, rows := strings.Count(text, `<section class="video person"`), strings.Count(text, "<article")
		times, pictures := strings.Count(text, "#t="), strings.Count(text, "data:image/jpeg")
		said := regexp.MustCompile(`To keep this page small, [^<]*`).FindString(text)
		t.Logf("%d videos, %d people in each, %d times: %d bytes, %d rows, %d times, %d pictures. %s",
			tc.videos, tc.people, tc.places, len(text), rows, times, pictures, said)
		if len(text) > most {
			t.Errorf("%+v: the page has %d bytes", tc, len(text))
		}
		if want := tc.videos * tc.people; rows != want || times < rows || pictures < people {
			t.Errorf("%+v: %d rows with %d times and %d pictures, want %d rows", tc, rows, times, pictures, want)
		}
		if leftOut := times < rows*tc.places || pictures < rows+people; leftOut != strings.Contains(said, "left out") {
			t.Errorf("%+v: something is left out: %t; the page says %q", tc, leftOut, said)
		}
	}
}

func TestBestTimesAreShown(t *testing.T) {
	t.Parallel()
	var intervals []Interval
	for i, s := range []int{81, 99, 80, 95, 95, 82} {
		intervals = append(intervals, Interval{Start: ms(i), Best: match(1, face.Similarity(s))})
	}
	var got []time.Duration
	for _, i := range best(intervals, 3) {
		got = append(got, i.Start)
	}
	if diff := cmp.Diff([]time.Duration{ms(1), ms(3), ms(4)}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(best(intervals, 9)); n != 6 {
		t.Errorf("%d of 6", n)
	}
}

func TestSmallPortraits(t *testing.T) {
	t.Parallel()
	full := noise(t, 1)
	small := shrink(full)
	c, err := jpeg.DecodeConfig(bytes.NewReader(small))
	if err != nil || c.Width != smallSide || c.Height != smallSide || len(small) > len(full)/3 {
		t.Errorf("%+v, %d of %d bytes: %v", c, len(small), len(full), err)
	}
	var huge bytes.Buffer // no portrait, and to be decoded for nothing
	if err := jpeg.Encode(&huge, image.NewGray(image.Rect(0, 0, 80, 1100)), nil); err != nil {
		t.Fatal(err)
	}
	for _, as := range [][]byte{portrait(t, 1), huge.Bytes(), full[:len(full)/2], []byte("no picture"), nil} {
		if got := shrink(as); !bytes.Equal(got, as) {
			t.Errorf("%.20q became %.20q", as, got)
		}
	}
}
