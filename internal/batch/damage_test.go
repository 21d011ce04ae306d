package batch

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // what damages

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// change runs a statement on an archive that nobody has open.
func change(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// asked is what an archive answers: how many videos somebody was found in, what was told, and how it ended.
func asked(t *testing.T, path, people string, find bool) (found int, told string, err error) {
	t.Helper()
	var notes []string
	listen := func(e Event) {
		if n, ok := e.(Noted); ok {
			notes = append(notes, n.Reason)
		}
	}
	each := func(f *Found) error {
		for _, s := range f.video.Sightings {
			if len(s.Matches) > 0 {
				found++
				break
			}
		}
		if f.failed != nil {
			notes = append(notes, f.failed.Error())
		}
		return nil
	}
	c := tested()
	c.PhotoCache = config.Path(filepath.Join(filepath.Dir(people), "photos"))
	if find {
		_, err = Find(t.Context(), c, Finding{Faces: people, In: path, Now: time.Now, Listen: listen, Each: each})
	} else {
		err = Search(t.Context(), c, Request{Faces: people, In: path, Now: time.Now, Listen: listen, Each: each})
	}
	return found, strings.Join(notes, "\n"), err
}

// TestADamagedArchive damages what an archive has of a video, in one way after the other. No answer leaves it out in silence, and index
// mends it.
func TestADamagedArchive(t *testing.T) {
	t.Parallel()
	photos := filepath.Join("..", "..", filepath.FromSlash(media.Folder))
	for _, needed := range []string{string(tested().Helper), string(tested().Models), photos} {
		if _, err := os.Stat(needed); err != nil {
			t.Skip("not set up (make setup): ", err)
		}
	}
	people, folder := t.TempDir(), t.TempDir()
	clip := media.Film{Width: 640, Height: 360, FrameRate: 5, Shots: media.Clip().Shots[:1]}
	clip.Shots[0].Seconds = 2
	video, path := filepath.Join(folder, "clip.mp4"), filepath.Join(folder, "x.spotter")
	if err := errors.Join(media.MakePeople(t.Context(), photos, people), clip.Write(t.Context(), photos, video)); err != nil {
		t.Fatal(err)
	}
	index := func(path string, again bool) {
		done, err := Index(t.Context(), tested(), Indexing{Videos: []string{video}, Archive: path, Again: again, Now: time.Now})
		if err != nil || done.Analysed != 1 {
			t.Errorf("index %+v, %v", done, err)
		}
	}
	index(path, false)
	if found, _, err := asked(t, path, people, true); found != 1 || err != nil {
		t.Fatalf("found in %d videos, %v", found, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	askedWhileBegun(t, path, people)
	for _, test := range []struct {
		what, statement string
		found           int    // all the same
		told            string // what is told
		mends           bool   // index does, unasked
	}{
		{"data", `UPDATE segments SET data = zeroblob(length(data))`, 0, "index it again", false},
		{"a missing stretch", `DELETE FROM segments WHERE number = 0`, 0, "index it again", false},
		{"terms", `UPDATE analyses SET terms = zeroblob(length(terms))`, 0, "index it again", true},
		{"codes", `UPDATE codes SET data = zeroblob(length(data))`, 1, "", false},
		{"data, half analysed", `DELETE FROM codes; UPDATE segments SET data = zeroblob(length(data))`, 0, "index", true},
		{"codes of a record that was replaced", `PRAGMA foreign_keys = OFF; DELETE FROM analyses`, 0, "index", true},
	} {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		change(t, path, test.statement)
		for _, find := range []bool{true, false} {
			found, told, err := asked(t, path, people, find)
			incomplete := (*IncompleteError)(nil)
			failed := errors.As(err, &incomplete)
			if found != test.found || failed == (test.told == "") || !strings.Contains(told, test.told) {
				t.Errorf("%s: find %v found in %d videos, says %v, and tells %q", test.what, find, found, err, told)
			}
			if strings.Contains(test.what, "replaced") && find && !strings.Contains(told, "ask once more") {
				t.Errorf("%s: find tells %q", test.what, told)
			}
		}
		if test.mends {
			index(path, false)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	change(t, path, `UPDATE segments SET data = zeroblob(length(data))`)
	index(path, true)
	if found, told, err := asked(t, path, people, true); found != 1 || told != "" || err != nil {
		t.Errorf("in the end find found in %d videos, tells %q, %v", found, told, err)
	}
}

// askedWhileBegun asks a copy of an archive whose analyses are begun anew after it has been counted what there is.
func askedWhileBegun(t *testing.T, path, people string) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if path = path + ".copy"; os.WriteFile(path, whole, 0o600) != nil {
		t.Fatal("it cannot be copied")
	}
	var told []string
	enrolled, looks := false, 0
	_, err = Find(t.Context(), tested(), Finding{
		Faces: people, In: path, Each: func(*Found) error { return nil },
		Now: func() time.Time {
			if enrolled {
				looks++
			}
			if looks == 2 { // first for the report, then before codes are read
				change(t, path, `DELETE FROM codes`)
			}
			return time.Now()
		},
		Listen: func(e Event) {
			switch e := e.(type) {
			case EnrolmentDone:
				enrolled = true
			case Noted:
				told = append(told, e.Reason)
			}
		},
	})
	incomplete := (*IncompleteError)(nil)
	if !errors.As(err, &incomplete) || len(told) != 1 || !strings.Contains(told[0], "1 of its videos were not analysed to their end") {
		t.Errorf("with analyses begun meanwhile it tells %q and says %v", told, err)
	}
}
