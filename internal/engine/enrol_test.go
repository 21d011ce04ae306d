package engine

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/service"
)

func TestReadPhotoRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := func(name string) string { return filepath.Join(folder, name) }
	for file, size := range map[string]int{"empty.jpg": 0, "large.jpg": 1001} {
		if err := os.WriteFile(path(file), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(path("folder"), 0o700), syscall.Mkfifo(path("pipe.jpg"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"empty.jpg": "empty", "large.jpg": "--max-photo-size", "folder": "regular file", "pipe.jpg": "regular file",
		"none.jpg": "no such file",
	} {
		if _, err := readPhoto(path(name), 1000); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, want)
		}
	}
}

// noted is a call of a [noteFunc].
type noted struct {
	path, reason string
	refused      bool
}

func noting(list *[]noted) noteFunc {
	return func(path, reason string, refused bool) { *list = append(*list, noted{path, reason, refused}) }
}

func TestAddPeople(t *testing.T) {
	t.Parallel()
	index, err := gallery.New(2)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = index.Close() }()
	p := newPeople(index)
	shots := []Photo{
		{Path: "ANNA/1.jpg", Person: "ANNA", Name: "1"},
		{Path: "ANNA/2.jpg", Person: "ANNA", Name: "2"}, // the same photo again
		{Path: "ANNA/3.jpg", Person: "ANNA", Name: "3"}, // without a face
		{Path: "BEN.jpg", Person: "BEN"},                // the same photo as ANNA's
	}
	photo := sha256.Sum256([]byte("photo"))
	enrolled := func(id string) newcomer {
		return newcomer{photo: photo, vector: []float32{1, 0}, face: face.Enrolled{ID: faceID(photo, id), ExternalID: id}}
	}
	var notes []noted
	err = p.add(shots, []newcomer{enrolled("ANNA.1"), enrolled("ANNA.2"), {refused: "no face"}, enrolled("BEN")}, noting(&notes))
	if err != nil {
		t.Fatal(err)
	}
	want := map[face.ID]string{faceID(photo, "ANNA.1"): "ANNA", faceID(photo, "BEN"): "BEN"}
	if d := cmp.Diff(want, p.Person); d != "" {
		t.Error("people (-want +got):\n" + d)
	}
	if index.Len() != 2 || p.Count() != 2 {
		t.Errorf("%d faces of %d people, want 2 of 2", index.Len(), p.Count())
	}
	wantNotes := []noted{
		{"ANNA/2.jpg", "the same photo as ANNA/1.jpg; enrolled once", false},
		{"ANNA/3.jpg", "no face", true},
		{"BEN.jpg", "the same photo as ANNA/1.jpg: it stands for both ANNA and BEN", false},
	}
	if d := cmp.Diff(wantNotes, notes, cmp.AllowUnexported(noted{})); d != "" {
		t.Error("notes (-want +got):\n" + d)
	}
}

func TestIDsArePredictable(t *testing.T) {
	t.Parallel()
	photo := sha256.Sum256([]byte("photo"))
	ids := map[face.ID]string{}
	for name, id := range map[string]face.ID{
		"face": faceID(photo, "ANNA.1"), "other name": faceID(photo, "ANNA.2"), "image": service.ImageID(photo),
		"other photo": faceID(sha256.Sum256(nil), "ANNA.1"),
	} {
		if other, again := ids[id]; again {
			t.Errorf("%s and %s have the id %s", name, other, id)
		}
		ids[id] = name
		if s := id.String(); s[14] != '8' || !strings.ContainsRune("89ab", rune(s[19])) {
			t.Errorf("%s is no UUID of version 8", s)
		}
	}
	const pinned = "e289e0e2-29cc-8543-a11e-f7d194e37502"
	if got := faceID(photo, "ANNA.1").String(); got != pinned {
		t.Errorf("the id of a known photo has changed to %s", got)
	}
}

func TestWhoWasTaken(t *testing.T) {
	t.Parallel()
	at := func(x, height float32, refused string) recognizer.Face {
		f := recognizer.Face{Height: height, Refused: refused}
		f.Detection.Box = face.Box{Left: x, Width: 0.1, Height: 0.1}
		return f
	}
	for name, tc := range map[string]struct {
		taken  recognizer.Face
		others []recognizer.Face
		want   string
	}{
		"alone":            {at(0.5, 100, ""), nil, ""},
		"with a passer-by": {at(0.5, 100, ""), []recognizer.Face{at(0.1, 33, "")}, ""},
		"two":              {at(0.5, 100, ""), []recognizer.Face{at(0.1, 80, "")}, "2 faces; the larger one, on the right, was enrolled"},
		"three": {
			at(0.5, 100, ""),
			[]recognizer.Face{at(0.1, 80, ""), at(0.8, 40, "")},
			"3 faces; the largest one, number 2 from the left, was enrolled",
		},
		"not the largest": {
			at(0.1, 100, ""),
			[]recognizer.Face{at(0.5, 120, "is turned too far to the side")},
			"2 faces; the one on the left was enrolled, as a larger one is turned too far to the side",
		},
	} {
		if got := whoWasTaken(&tc.taken, tc.others); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestOneFaceUnderTwoNames(t *testing.T) {
	t.Parallel()
	shots := []Photo{
		{Path: "ANNA/1.jpg", Person: "ANNA", Name: "1"},
		{Path: "ANNA/2.jpg", Person: "ANNA", Name: "2"},
		{Path: "BEN.jpg", Person: "BEN"},
		{Path: "CLEO.jpg", Person: "CLEO"},
		{Path: "DORA.jpg", Person: "DORA"},
	}
	like := func(n byte, x, y float32) newcomer {
		return newcomer{photo: [sha256.Size]byte{n}, vector: []float32{x, y}}
	}
	var notes []noted
	// Strangers deviate by .1, so that a cosine of .7 is a similarity above 99, and one of .6 below.
	cohort := &face.Cohort{Mean: make([]float32, 2), Covariance: []float32{0.01, 0, 0, 0.01}}
	alike(shots, []newcomer{like(1, 1, 0), like(2, 1, 0), like(3, 0.7, 0.714), like(4, 0, 1), like(5, 0.6, -0.8)},
		cohort, rated(), noting(&notes))
	want := []noted{
		{"BEN.jpg", "shows the face of ANNA/1.jpg: ANNA and BEN may be one person under two names", false},
		{"CLEO.jpg", "shows the face of BEN.jpg: BEN and CLEO may be one person under two names", false},
	}
	if d := cmp.Diff(want, notes, cmp.AllowUnexported(noted{})); d != "" {
		t.Error("notes (-want +got):\n" + d)
	}
}
