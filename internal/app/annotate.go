package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spotter-video/spotter/internal/report"
)

// annotate writes a copy of a searched video with boxes, names and similarities. It holds a worker's place: encoding is
// hard work.
func (s *searching) annotate(ctx context.Context, n int, v *report.Video) (err error) {
	rec, err := s.engine.recognizers.take(ctx)
	if err != nil {
		return err
	}
	defer s.engine.recognizers.give(rec)
	f, err := os.Open(v.Name)
	if err != nil {
		return errors.New(reason(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var script bytes.Buffer
	options := report.SubtitleOptions{SampleRate: s.frame.SampleRate}
	if err := report.Subtitles(&script, v, &s.frame.Gallery, options); err != nil {
		return err
	}
	progress := func(at time.Duration) { s.out.send(Annotating{Video: n, Written: at}) }
	if err := s.engine.decoder.Overlay(ctx, f, script.Bytes(), s.annotated[n], progress); err != nil {
		return fmt.Errorf("no annotated copy was written: %w", err)
	}
	return nil
}

// annotatedPaths says where the annotated copy of each video goes: to the file named, or, for several videos, into the
// folder named, under the video's name with the ending of what is written. Nothing named is nothing written.
func annotatedPaths(named string, videos []string) ([]string, error) {
	paths := make([]string, len(videos))
	if named == "" {
		return paths, nil
	}
	info, err := os.Stat(named)
	folder := err == nil && info.IsDir()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, &UsageError{fmt.Errorf("annotated video: %w", plain(err))}
	case !folder && len(videos) > 1:
		return nil, &UsageError{fmt.Errorf(
			"%d videos cannot be annotated into the one file %s: name an existing folder", len(videos), named)}
	}
	taken := map[string]bool{}
	for i, v := range videos {
		paths[i] = named
		if folder {
			paths[i] = unusedName(filepath.Join(named, stem(v)), taken)
		}
		if err := checkAnnotated(paths[i], videos); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// unusedName is the path with the ending of an annotated video, numbered where another video of the search has it.
func unusedName(path string, taken map[string]bool) string {
	name := path + annotatedEnding
	for n := 2; taken[name]; n++ {
		name = path + "-" + strconv.Itoa(n) + annotatedEnding
	}
	taken[name] = true
	return name
}

const annotatedEnding = ".mp4"

// checkAnnotated refuses paths that cannot be written to, before hours have gone into a search, and those that would
// replace a video that is searched.
func checkAnnotated(path string, videos []string) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return &UsageError{fmt.Errorf("annotated video: there is no folder %s", filepath.Dir(path))}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // nothing is in the way
	}
	if !info.Mode().IsRegular() {
		return &UsageError{fmt.Errorf("annotated video: %s is not a file", path)}
	}
	for _, v := range videos {
		if other, err := os.Stat(v); err == nil && os.SameFile(info, other) {
			return &UsageError{fmt.Errorf("annotated video: %s is searched itself; name another file", path)}
		}
	}
	return nil
}
