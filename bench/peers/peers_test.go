package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// TestMain lets the test binary be the loop, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "loop" {
		if err := start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// film makes an evaluation set of one clip of four seconds: ANNA with BEA, then CLEO, among others. DORA and EVE are
// enrolled and not in it.
func film(t *testing.T, photos string) (evaluation.Set, evaluation.Clip) {
	t.Helper()
	clip := evaluation.Clip{Name: "film", Video: "film.mp4", Truth: "film.gt.json", Faces: "people"}
	set := evaluation.Set(t.TempDir())
	f := media.Clip()
	f.Shots = f.Shots[:2]
	if err := f.Write(t.Context(), photos, set.Path(clip.Video)); err != nil {
		t.Fatal(err)
	}
	if err := media.MakePeople(t.Context(), photos, set.Path(clip.Faces)); err != nil {
		t.Fatal(err)
	}
	first, second := []evaluation.Span{{0, 1900}}, []evaluation.Span{{2000, 3900}}
	truth, err := json.Marshal(evaluation.Truth{Video: "film", Identities: []evaluation.Identity{
		{ID: "ANNA", Enrolled: true, Visible: first},
		{ID: "BEA", Enrolled: true, Visible: first},
		{ID: "CLEO", Enrolled: true, Visible: second},
		{ID: "DORA", Enrolled: true},
		{ID: "EVE", Enrolled: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(set.Path(clip.Truth), truth, 0o600); err != nil {
		t.Fatal(err)
	}
	return set, clip
}

func TestPeersFindWhoIsThere(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("looks at a film with three programs")
	}
	root := filepath.Join("..", "..")
	photos := filepath.Join(root, media.Folder)
	o := options{spotter: filepath.Join(root, "bin", "spotter"), models: filepath.Join(root, "models", "default"), node: "."}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	set, clip := evaluation.Set(""), evaluation.Clip{}
	if exists(photos) {
		set, clip = film(t, photos)
	}
	for _, tt := range []struct {
		peer    peer
		missing string
		there   bool
	}{
		{spotterPeer(o), "program: make build", exists(o.spotter) && exists(o.models)},
		{loopPeer(self, once, o), "model pack: make setup", exists(o.models)},
		{loopPeer(self, mirrored, o), "model pack: make setup", exists(o.models)},
		{faceAPIPeer(o), "packages: go run ./bench/peers", program("node") && installed(o.node)},
	} {
		t.Run(tt.peer.name, func(t *testing.T) {
			t.Parallel()
			if !exists(photos) {
				t.Skip("there are no photos: make setup")
			}
			if !tt.there {
				t.Skipf("there is no %s", tt.missing)
			}
			m := &measuring{peers: []peer{tt.peer}, w: t.Output()}
			if err := m.measure(t.Context(), set, []evaluation.Clip{clip}, 1); err != nil {
				t.Fatal(err)
			}
			m.sum()
			s := m.Sums[0]
			if s.Points != 9 || s.Hits != s.Points || s.False > 0 || s.WrongNames > 0 {
				t.Errorf("got %+v, missed %v, wrong %v", s, m.Clips[0].Score.Missed, m.Clips[0].Score.Wrong)
			}
			if s.CPU <= 0 || s.Ratio != 1 || s.SafeHits != s.Hits {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestSafeThresholdIsAboveAllThatIsFalse(t *testing.T) {
	t.Parallel()
	gt := &evaluation.Truth{Identities: []evaluation.Identity{
		{ID: "ann", Enrolled: true, Visible: []evaluation.Span{{0, 1000}}}, {ID: "bob", Enrolled: true},
	}}
	matches := []evaluation.Match{{Name: "ann.jpg", At: 200, Score: .9}, {Name: "ann.jpg", At: 800, Score: .5}, {Name: "bob.jpg", At: 400, Score: .7}}
	m := &measuring{peers: []peer{{name: "p", threshold: .4}}}
	m.Rounds = 1
	m.Clips = []result{{Peer: "p", matches: matches, truth: gt, Score: evaluation.ScoreMatches(matches, gt, .4)}}
	easy := matches[:1] // where nothing is false its scores say nothing
	m.Clips = append(m.Clips, result{Peer: "p", matches: easy, truth: gt, Score: evaluation.ScoreMatches(easy, gt, .4)})
	m.sum()
	if s := m.Sums[0]; s.Points != 4 || s.Hits != 3 || s.False != 1 || s.WrongNames != 1 || s.SafeHits != 2 || s.SafeThreshold <= .7 || s.SafeThreshold > .71 {
		t.Errorf("got %+v", s)
	}
}

func TestWithinIsEven(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ from, want size }{
		{size{Width: 1280, Height: 720}, size{Width: 640, Height: 360}},
		{size{Width: 1080, Height: 1920}, size{Width: 360, Height: 640}},
		{size{Width: 844, Height: 614}, size{Width: 640, Height: 464}},
		{size{Width: 640, Height: 360}, size{Width: 640, Height: 360}},
	} {
		if got := tt.from.within(columns); got != tt.want {
			t.Errorf("%v becomes %v, want %v", tt.from, got, tt.want)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func program(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}
