package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/archive"
)

// everything is all that an archive says, or why it does not.
func everything(t *testing.T, path string) (all []string, err error) {
	t.Helper()
	a, err := archive.Read(t.Context(), path)
	if err != nil {
		return nil, err
	}
	defer func() { must(t, a.Close()) }()
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	err = a.EachFile(t.Context(), "", func(f *archive.File) error {
		say("%s %d %v %d", f.Path, f.Size, f.Changed.UnixNano(), f.Video)
		list, failed := a.Analyses(t.Context(), f.Video)
		for _, x := range list {
			say("track %d by %s and %s", x.Track, x.Terms, x.Plan)
			failed = errors.Join(failed, a.EachSegment(t.Context(), x.ID, true, func(n int, data, pictures []byte) error {
				say("segment %d: %s %s", n, data, pictures)
				return nil
			}))
		}
		return failed
	})
	return all, err
}

// TestDamageIsNoticed changes each byte that was put in, one at a time: SQLite does not notice that.
func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	a := opened(t, path)
	f := archive.File{Path: "/path", Size: 0x515253, Changed: time.Unix(0x616263, 0x717273)}
	must(t, a.Put(t.Context(), &f, archive.Sum{1}))
	list := []archive.Analysis{{Track: 1, Terms: []byte("terms-"), Plan: []byte("plan--"), Segments: 1}}
	must(t, a.Begin(t.Context(), f.Video, list))
	must(t, a.SaveSegment(t.Context(), list[0].ID, 0, []byte("data--"), []byte("faces-")))
	must(t, a.Complete(t.Context(), list[0].ID, nil, ""))
	must(t, a.Close())
	want, err := everything(t, path)
	must(t, err)
	whole, err := os.ReadFile(path)
	must(t, err)
	for _, test := range []struct {
		what string
		ofIt bool // it is known which video is concerned
	}{
		{"/path", false}, {"QRS", false}, {"abc", false}, {"qrs", false}, {"terms-", true}, {"plan--", true}, {"data--", true}, {"faces-", true},
	} {
		start, places := 0, 0
		for at := bytes.Index(whole, []byte(test.what)); at >= 0; at = bytes.Index(whole[start:], []byte(test.what)) {
			for i := range test.what {
				damaged := bytes.Clone(whole)
				damaged[start+at+i] ^= 2
				must(t, os.WriteFile(path, damaged, 0o600))
				got, err := everything(t, path)
				switch {
				case err == nil && !cmp.Equal(want, got): // an index has paths too, which are not read
					t.Errorf("with %s changed at %d it says %q", test.what, i, got)
				case err != nil && (errors.Is(err, archive.ErrDamaged) != test.ofIt || !strings.Contains(err.Error(), "index ")):
					t.Errorf("with %s changed at %d the error is %v", test.what, i, err)
				case err != nil:
					places++
				}
			}
			start += at + len(test.what)
		}
		if places < len(test.what) {
			t.Errorf("%s: only %d changes were noticed", test.what, places)
		}
	}
}
