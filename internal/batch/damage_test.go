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
	if find {
		_, err = Find(t.Context(), tested(), Finding{Faces: people, In: path, Now: time.Now, Listen: listen, Each: each})
	} else {
		err = Search(t.Context(), tested(), Request{Faces: people, In: path, Now: time.Now, Listen: listen, Each: each})
	}
	return found, strings.Join(notes, "\n"), err
}

// TestADamagedArchive damages what an archive has of one video after the other. No answer leaves it out in silence, and index mends it.
func TestADamagedArchive(t *testing.T) {
	t.Parallel()
	videos, people := clips(t), t.TempDir()
	if err := media.MakePeople(t.Context(), filepath.Join("..", "..", filepath.FromSlash(media.Folder)), people); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(videos, "clip-0.mp4")); err != nil { // the long one
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.spotter")
	index := func(again bool) (*Indexed, error) {
		return Index(t.Context(), tested(), Indexing{Videos: []string{videos}, Archive: path, Again: again, Now: time.Now})
	}
	if _, err := index(false); err != nil {
		t.Fatal(err)
	}
	all, _, err := asked(t, path, people, true)
	if all == 0 || err != nil {
		t.Fatalf("found in %d videos, %v", all, err)
	}
	for _, test := range []struct {
		what, statement string
		again           bool // index has to be told
	}{
		{"data", `UPDATE segments SET data = zeroblob(length(data))`, true},
		{"a missing stretch", `DELETE FROM segments WHERE number = 0`, true},
		{"terms", `UPDATE analyses SET terms = zeroblob(length(terms))`, false},
		{"a plan", `UPDATE analyses SET plan = zeroblob(length(plan))`, false},
		{"codes", `UPDATE codes SET data = zeroblob(length(data))`, true},
		{"data, half analysed", `DELETE FROM codes; UPDATE segments SET data = zeroblob(length(data))`, false},
	} {
		change(t, path, test.statement)
		for _, find := range []bool{true, false} {
			found, told, err := asked(t, path, people, find)
			switch {
			case test.what == "codes":
				if found != all || err != nil {
					t.Errorf("%s: find %v found in %d videos of %d, %v", test.what, find, found, all, err)
				}
			case strings.Contains(test.what, "half"):
				if !strings.Contains(told, "not analysed to their end") && !strings.Contains(told, "damaged") {
					t.Errorf("%s: find %v says %v, and tells %q", test.what, find, err, told)
				}
			default:
				if incomplete := (*IncompleteError)(nil); found > 0 || !errors.As(err, &incomplete) || !strings.Contains(told, "index it again") {
					t.Errorf("%s: find %v found in %d videos, says %v, and tells %q", test.what, find, found, err, told)
				}
			}
		}
		if test.what == "codes" {
			continue
		}
		done, err := index(test.again)
		if err != nil || done.Analysed != done.Videos {
			t.Fatalf("%s: index %+v, %v", test.what, done, err)
		}
		if found, told, err := asked(t, path, people, true); found != all || told != "" || err != nil {
			t.Errorf("%s: after index find found in %d videos of %d, tells %q, %v", test.what, found, all, told, err)
		}
	}
	// The codes stay: they are what has been read before an index replaced the rest.
	change(t, path, `PRAGMA foreign_keys = OFF; DELETE FROM analyses`)
	_, told, err := asked(t, path, people, true)
	if incomplete := (*IncompleteError)(nil); !errors.As(err, &incomplete) || !strings.Contains(told, "ask once more") {
		t.Errorf("beside an index it tells %q and says %v", told, err)
	}
}
