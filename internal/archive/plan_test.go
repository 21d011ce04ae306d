package archive

import (
	"errors"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spotter-video/spotter/internal/testkit/sqliteplan"
)

// TestPlans asks SQLite how it runs each statement: none may read a table from end to end, or sort what it has read, except where
// all rows are wanted.
func TestPlans(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.spotter")
	a, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	var seen sqliteplan.Recorder
	if a.writer, err = seen.Writing(path); err != nil {
		t.Fatal(err)
	}
	if a.reader, err = seen.Reading(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(a.writer.Close(), a.reader.Close()) })
	everything(t, a)
	plans, err := seen.Plans(t.Context(), a.file.Writer())
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 20 {
		t.Errorf("only %d statements were recorded", len(plans))
	}
	costly := regexp.MustCompile(`^SCAN|TEMP B-TREE`)
	all := regexp.MustCompile(`SELECT COUNT\(\*\)`) // for the statistics
	one := regexp.MustCompile(`^SCAN CONSTANT ROW$`)
	for _, p := range plans {
		for _, line := range p.Lines {
			if costly.MatchString(line) && !all.MatchString(p.Statement) && !one.MatchString(line) {
				t.Errorf("%s: %s", line, p.Statement)
			}
		}
	}
}

// everything calls each method once.
func everything(t *testing.T, a *Archive) {
	t.Helper()
	ctx := t.Context()
	f, list := File{Path: "/a"}, []Analysis{{Segments: 1}}
	errs := []error{a.Put(ctx, &f, Sum{1}), a.Put(ctx, &f, Sum{2}), a.Begin(ctx, f.Video, list), a.SaveSegment(ctx, list[0].ID, 0, nil, nil)}
	errs = append(errs, a.Complete(ctx, list[0].ID, nil, ""))
	errs = append(errs, a.EachFile(ctx, "/", func(*File) error { return nil }), a.EachCodes(ctx, func(int64, []byte) error { return nil }))
	for _, pictures := range []bool{true, false} {
		errs = append(errs, a.EachSegment(ctx, list[0].ID, pictures, func(int, []byte, []byte) error { return nil }))
	}
	_, err := a.Analysis(ctx, list[0].ID)
	errs = append(errs, err, a.Fail(ctx, "/a", "x"))
	_, err = a.File(ctx, "/a")
	errs = append(errs, err)
	_, err = a.FilesOf(ctx, f.Video)
	errs = append(errs, err)
	_, _, err = a.Video(ctx, Sum{2})
	errs = append(errs, err)
	_, err = a.Analyses(ctx, f.Video)
	errs = append(errs, err)
	_, err = a.Saved(ctx, list[0].ID)
	errs = append(errs, err)
	_, err = a.Stats(ctx)
	errs = append(errs, err, a.Forget(ctx, []string{"/a"}))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
