package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/testkit/unprivileged"
)

// tree makes files and links (NAME -> TARGET) below a fresh folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, entry := range names {
		name, target, link := strings.Cut(entry, " -> ")
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(path, 0o755)
		default:
			err = os.WriteFile(path, []byte(name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestListPeople(t *testing.T) {
	t.Parallel()
	root := tree(t, "ANNA/2.jpg", "ANNA/10.PNG", "ANNA/old/3.jpg", "ANNA/notes.txt", "ANNA/.hidden.jpg", "BEN.jpeg",
		".cache/x.jpg", "CARL.avif", "DORA/", "EVE -> ANNA", "FINN.jpg -> BEN.jpeg", "GONE.jpg -> nowhere", "LOOP -> LOOP",
		"odd.jpg/inside.png")
	notes := map[string]string{}
	list, err := listPeople(root, func(path, reason string, _ bool) {
		rel, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		notes[rel] = reason
	})
	if err != nil {
		t.Fatal(err)
	}
	if have, want := notes["GONE.jpg"], "no such file or directory"; have != want {
		t.Errorf("note of a link that leads nowhere: %q, want %q without the path, which the note has", have, want)
	}
	want := []engine.Photo{
		photoOf("ANNA/10.PNG", "ANNA", "10"),
		photoOf("ANNA/2.jpg", "ANNA", "2"),
		photoOf("BEN.jpeg", "BEN", ""),
		photoOf("EVE/10.PNG", "EVE", "10"),
		photoOf("EVE/2.jpg", "EVE", "2"),
		photoOf("FINN.jpg", "FINN", ""),
		photoOf("odd.jpg/inside.png", "odd.jpg", "inside"),
	}
	for i := range want {
		want[i].Path = filepath.Join(root, want[i].Path)
	}
	if d := cmp.Diff(want, list); d != "" {
		t.Error("photos (-want +got):\n" + d)
	}
	var noted []string
	for path := range notes {
		noted = append(noted, path)
	}
	wantNoted := []string{
		"ANNA/notes.txt", "ANNA/old", "CARL.avif", "EVE/notes.txt", "EVE/old", "GONE.jpg", "LOOP",
	}
	if d := cmp.Diff(wantNoted, noted, cmpopts.SortSlices(strings.Compare)); d != "" {
		t.Error("notes (-want +got):\n" + d)
	}
}

func TestListPeopleOfOnePhoto(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tree(t, "ANNA.jpg"), "ANNA.jpg")
	list, err := listPeople(path, func(path, reason string, _ bool) { t.Error(path, reason) })
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]engine.Photo{{Path: path, Person: "ANNA", ExternalID: "ANNA"}}, list); d != "" {
		t.Error(d)
	}
}

func TestListPeopleOfNothing(t *testing.T) {
	t.Parallel()
	_, err := listPeople(filepath.Join(t.TempDir(), "none"), nil)
	if usage := (*fault.UsageError)(nil); !errors.As(err, &usage) {
		t.Errorf("error %v, want a usage error", err)
	}
}

func TestListVideos(t *testing.T) {
	t.Parallel()
	root := tree(t, "b/2.MP4", "b/1.mkv", "b/deep/er/3.webm", "b/readme.txt", "b/.hidden/4.mp4", "b/.5.mp4", "b/6.mp4/7.ts",
		"b/link.mov -> 1.mkv", "b/gone.mp4 -> nowhere", "b/circle -> .", "odd-name")
	in := func(names ...string) []string {
		for i := range names {
			names[i] = filepath.Join(root, names[i])
		}
		return names
	}
	var notes []string
	list, err := listVideos(append(in("odd-name", "b/2.MP4", "b"), filepath.Join(root, "b", "..", "b", "1.mkv")), func(path, reason string, lost bool) {
		notes = append(notes, fmt.Sprint(filepath.Base(path), ": ", reason, " ", lost))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := in("odd-name", "b/2.MP4", "b/1.mkv", "b/6.mp4/7.ts", "b/deep/er/3.webm", "b/link.mov")
	if d := cmp.Diff(want, list); d != "" {
		t.Error("videos (-want +got):\n" + d)
	}
	wantNotes := []string{"b: passed over as not named like videos: 1 without an ending, 1 .mp4, 1 .txt false"}
	if d := cmp.Diff(wantNotes, notes); d != "" {
		t.Error("notes (-want +got):\n" + d)
	}
}

func TestListVideosRefuses(t *testing.T) {
	t.Parallel()
	for name, named := range map[string]string{"missing": "none.mp4", "without videos": "."} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := listVideos([]string{filepath.Join(tree(t, "readme.txt"), named)}, func(string, string, bool) {})
			if usage := (*fault.UsageError)(nil); !errors.As(err, &usage) {
				t.Errorf("error %v, want a usage error", err)
			}
		})
	}
}

// TestUnreadableSubfolders lists folders of which one part cannot be read: it costs itself only, and is told.
func TestUnreadableSubfolders(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 { // who may read everything
		out, err := unprivileged.Run(t.Context(), t.Name())
		if unprivileged.Cannot(err) {
			t.Skip("no process of another user can be started here: " + err.Error())
		}
		if err != nil {
			t.Errorf("as another user: %v\n%s", err, out)
		}
		return
	}
	root := tree(t, "a/1.mp4", "locked/2.mp4", "z/3.mp4", "people/ANNA/1.jpg", "people/BEN/1.jpg", "people/CLEO.jpg")
	for _, locked := range []string{"locked", "people/BEN"} {
		path := filepath.Join(root, locked)
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(path, 0o700) })
	}
	var notes []string
	note := func(path, reason string, lost bool) {
		rel, _ := filepath.Rel(root, path)
		notes = append(notes, fmt.Sprint(rel, ": ", reason, " ", lost))
	}
	videos, err := listVideos([]string{root}, note)
	if want := []string{filepath.Join(root, "a/1.mp4"), filepath.Join(root, "z/3.mp4")}; err != nil || !cmp.Equal(videos, want) {
		t.Errorf("videos %v (%v), want %v", videos, err, want)
	}
	people, err := listPeople(filepath.Join(root, "people"), note)
	if err != nil || len(people) != 2 || people[0].Person != "ANNA" || people[1].Person != "CLEO" {
		t.Errorf("people %v (%v)", people, err)
	}
	want := []string{
		"locked: not searched: permission denied true", "people/BEN: not searched: permission denied true",
		".: passed over as not named like videos: 2 .jpg false", "people/BEN: permission denied true",
	}
	if d := cmp.Diff(want, notes); d != "" {
		t.Error("notes (-want +got):\n" + d)
	}
}
