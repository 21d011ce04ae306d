package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// opened is an engine with the default pack and the real decoder, and what it tells of its work.
type opened struct {
	*Engine
	mu    sync.Mutex
	steps []string
}

func open(t *testing.T) *opened {
	t.Helper()
	c := config.Default()
	c.Helper, c.Models, c.PhotoCache = "../../bin/spotter-decode", "../../models/default", config.Off
	for _, needed := range []string{string(c.Helper), string(c.Models), photosFolder()} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip("not set up (make setup): ", err)
		}
	}
	o := new(opened)
	var err error
	o.Engine, err = New(c, time.Now, func(s Step) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.steps = append(o.steps, s.Name)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

func photosFolder() string { return filepath.Join("..", "..", filepath.FromSlash(media.Folder)) }

// people enrols those of the portraits.
func (o *opened) people(t *testing.T) *People {
	t.Helper()
	folder := t.TempDir()
	if err := media.MakePeople(t.Context(), photosFolder(), folder); err != nil {
		t.Fatal(err)
	}
	var photos []Photo
	for _, p := range media.Portraits() {
		name, _, _ := strings.Cut(p.File, "/")
		photos = append(photos, Photo{Path: filepath.Join(folder, p.File), Person: strings.TrimSuffix(name, ".jpg"), ExternalID: name})
	}
	who, err := o.Enrol(t.Context(), photos, Enrolment{
		Portraits: true, Progress: func(int) {},
		Note: func(path, reason string, _ bool) { t.Errorf("%s: %s", path, reason) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = who.Close() })
	if len(who.Faces) != len(photos) || len(who.Portraits) != len(photos) || who.Count() != len(photos) {
		t.Fatalf("%d faces of %d people with %d portraits, want %d each", len(who.Faces), who.Count(), len(who.Portraits), len(photos))
	}
	return who
}

// TestASearchAndAJobFindTheSame searches a film of two segments from a file and as a job, whose steps know of each other what is
// kept only, and asks a record of it.
func TestASearchAndAJobFindTheSame(t *testing.T) {
	t.Parallel()
	o := open(t)
	who := o.people(t)
	film := filepath.Join(t.TempDir(), "film.mp4")
	shots := media.Clip().Shots
	shots[0].Seconds, shots[1].Seconds, shots[2].Seconds = 9, 9, 2
	if err := (media.Film{Width: 960, Height: 540, FrameRate: 10, Shots: shots}).Write(t.Context(), photosFolder(), film); err != nil {
		t.Fatal(err)
	}
	found := o.searched(t, film, who)
	names := map[string]bool{}
	for _, s := range found.Sightings {
		for _, m := range s.Matches {
			names[who.Person[m.ID]] = true
		}
	}
	if want := map[string]bool{"ANNA": true, "BEA": true, "CLEO": true, "DORA": true}; !cmp.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
	o.recall(t, o.recorded(t, film), who, found)
	job := o.worked(t, film, who)
	if d := cmp.Diff(found.Sightings, job.Sightings); d != "" {
		t.Error("sightings (-search +job):\n" + d)
	}
	if len(found.Portraits) != job.Persons || job.Message != "" {
		t.Errorf("%d portraits of %d persons; %q", len(found.Portraits), job.Persons, job.Message)
	}
}

// searched searches a file.
func (o *opened) searched(t *testing.T, film string, who *People) *Findings {
	t.Helper()
	v, err := o.Open(t.Context(), film, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if v.Tracks() != 1 || v.Number(0) != 0 {
		t.Errorf("%d tracks, number %d; want 1, without a number", v.Tracks(), v.Number(0))
	}
	var started face.VideoInfo
	var analysed time.Duration
	seen := 0
	found, err := v.Search(t.Context(), 0, Query{
		People: who, Portraits: true, Started: func(info face.VideoInfo) { started = info },
		Progress: func(at time.Duration, faces int) { analysed, seen = at, faces },
	})
	if err != nil {
		t.Fatal(err)
	}
	if started != found.Info || found.Info.Duration != 20*time.Second || analysed != found.Info.Duration {
		t.Errorf("%v of %+v analysed, which began as %+v", analysed, found.Info, started)
	}
	if seen < len(found.Sightings) || len(found.Sightings) == 0 || found.Warnings != nil || found.Partial != nil {
		t.Errorf("%d faces seen and %d found; warnings %q, partial %q", seen, len(found.Sightings), found.Warnings, found.Partial)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.Sort(o.steps)
	var parts []string
	for _, s := range o.steps {
		if !strings.HasPrefix(s, "enrol ") {
			parts = append(parts, strings.ReplaceAll(s, film, "FILM"))
		}
	}
	if len(parts) != 5 || parts[2] != "finish FILM" || parts[3] != "load models" || parts[4] != "plan FILM" {
		t.Errorf("steps %q, want two segments and the others", parts)
	}
	return found
}

// worked works on the file as a job.
func (o *opened) worked(t *testing.T, film string, who *People) *service.Found {
	t.Helper()
	ctx := t.Context()
	videos, usable := o.Videos(ctx, true)
	if !usable {
		t.Fatal("no decoder works")
	}
	terms, err := videos.Terms()
	if err != nil {
		t.Fatal(err)
	}
	eyes, err := videos.Under(terms)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(film)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	plan, err := eyes.Plan(ctx, onDisk{f})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Segments != 2 {
		t.Fatalf("%d segments: with two this tests what it is to", plan.Segments)
	}
	enrolled := who.gallery.Snapshot()
	defer func() { _ = enrolled.Close() }()
	found, err := eyes.Finish(ctx, plan, func(n int) ([]byte, error) { return eyes.Segment(ctx, onDisk{f}, plan, n, false) }, service.Matching{
		Gallery: enrolled, Threshold: who.Threshold, MaxMatches: int(o.config.MaxFaces),
		People: func(context.Context, []face.ID) (map[face.ID]string, error) { return who.Person, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = eyes.Segment(ctx, onDisk{f}, plan, 2, false); err == nil {
		t.Error("a segment was analysed that the plan has not")
	}
	return found
}

// TestOnlyFormatsOfAWS takes what AWS does not where it was not asked to do the same.
func TestOnlyFormatsOfAWS(t *testing.T) {
	t.Parallel()
	o := open(t)
	path := filepath.Join(t.TempDir(), "clip.mkv")
	err := media.FFmpeg(t.Context(), "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, aws := range []bool{false, true} {
		videos, _ := o.Videos(t.Context(), aws)
		eyes, err := videos.Under(nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = eyes.Plan(t.Context(), onDisk{f})
		if refused := service.KindOf(err) == service.Invalid && strings.HasPrefix(err.Error(), "Unsupported codec/format"); refused != aws || (err != nil) != aws {
			t.Errorf("only AWS's formats %v: %v", aws, err)
		}
		_ = f.Close()
	}
}

// TestOpenRefuses opens what is no video, and a track that a video has not.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	o := open(t)
	folder := t.TempDir()
	two := filepath.Join(folder, "two.mkv")
	err := errors.Join(
		os.WriteFile(filepath.Join(folder, "text.mp4"), []byte("no video"), 0o600),
		media.FFmpeg(t.Context(), "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=1", "-f", "lavfi", "-i",
			"testsrc=size=160x120:rate=10:duration=1", "-map", "0:v", "-map", "1:v", "-c:v", "libx264", "-pix_fmt", "yuv420p", two),
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		track int
		want  string
	}{
		"none.mp4": {0, "no such file or directory"},
		"text.mp4": {0, ""},
		"two.mkv":  {3, "the file has 2 video tracks, and so no track 3"},
	} {
		if v, wrong := o.Open(t.Context(), filepath.Join(folder, name), c.track); wrong == nil || c.want != "" && wrong.Error() != c.want {
			t.Errorf("%s: %+v, %v; want %q", name, v, wrong, c.want)
		}
	}
	v, err := o.Open(t.Context(), two, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if v.Tracks() != 1 || v.Number(0) != 2 {
		t.Errorf("%d tracks, the first with number %d; want 1 with number 2", v.Tracks(), v.Number(0))
	}
	found, err := v.Search(t.Context(), 0, Query{People: o.people(t)})
	if err != nil || found.Info.Width != 160 || len(found.Sightings) != 0 {
		t.Errorf("%+v, %v; want the second track", found, err)
	}
}

// TestPhotosOfAService looks at a photo with recognizers of their own, which are closed with the engine.
func TestPhotosOfAService(t *testing.T) {
	t.Parallel()
	o := open(t)
	folder := t.TempDir()
	if err := media.MakePeople(t.Context(), photosFolder(), folder); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "EVE.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	faces, err := o.Photos(0, int64(len(content))).Look(t.Context(), content, service.Wanted{Template: true, Attributes: true})
	if err != nil || len(faces) != 1 || len(faces[0].Template) != o.Model().Dim || faces[0].Attributes == nil || faces[0].Probe != nil {
		t.Errorf("%+v, %v; want one face with a template", faces, err)
	}
	if _, err = o.Photos(1, int64(len(content))-1).Look(t.Context(), content, service.Wanted{}); service.KindOf(err) != service.ImageTooLarge {
		t.Errorf("a photo that is too large: %v", err)
	}
	if len(o.others) != 2 || len(o.recognizers.made) != 0 {
		t.Errorf("%d pools beside the workers', who made %d", len(o.others), len(o.recognizers.made))
	}
}

// onDisk is a file that is all there.
type onDisk struct{ f *os.File }

func (f onDisk) File() *os.File { return f.f }

func (f onDisk) Fetch(_ context.Context, _, to int64) (int64, error) { return to, nil }
