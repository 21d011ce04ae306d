package batch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/report"
	"github.com/spotter-video/spotter/internal/video"
)

// annotate writes a copy of the track with boxes, names and similarities.
func (t *track) annotate(ctx context.Context, v *report.Video) error {
	var script bytes.Buffer
	options := report.SubtitleOptions{SampleRate: cmp.Or(v.SampleRate, t.frame.SampleRate)}
	if err := report.Subtitles(&script, v, &t.frame.Gallery, options); err != nil {
		return err
	}
	out, err := t.annotated[t.n].Create()
	if err != nil {
		return fmt.Errorf("no annotated copy was written: %w", err)
	}
	defer out.Discard()
	progress := func(at time.Duration) { t.out.send(Annotating{Video: t.n, Written: at}) }
	file := t.file
	if file == nil {
		if file, err = t.engine.Open(ctx, t.videos[t.n], t.number); err != nil {
			return fmt.Errorf("no annotated copy was written: %w", err)
		}
		defer file.Close()
	}
	if err := file.Annotate(ctx, script.Bytes(), out.Name(), progress); err != nil {
		return fmt.Errorf("no annotated copy was written: %w", err)
	}
	return out.Commit()
}

// annotatedPlaces says where the annotated copy of each video goes: to the file named, or, for several videos, into the
// folder named, under the video's name with the ending of what is written. Nothing named is nothing written. What cannot be
// written is refused before hours have gone into a search.
func annotatedPlaces(named string, videos []string, force bool) ([]*outfile.Place, error) {
	if named == "" {
		return nil, nil
	}
	info, err := os.Stat(named)
	folder := err == nil && info.IsDir()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, &fault.UsageError{Err: fmt.Errorf("annotated video: %w", fault.Plain(err))}
	case err == nil && !folder && !info.Mode().IsRegular():
		return nil, &fault.UsageError{Err: fmt.Errorf("annotated video: %s is not a file", named)}
	case !folder && len(videos) > 1:
		return nil, &fault.UsageError{Err: fmt.Errorf(
			"%d videos cannot be annotated into the one file %s: name an existing folder", len(videos), named)}
	}
	places := make([]*outfile.Place, len(videos))
	taken := map[string]bool{}
	for i, v := range videos {
		path := named
		if folder {
			path = unusedName(filepath.Join(named, stem(v)), taken)
		}
		if places[i], err = outfile.At(path, annotatedVideo(), force); err == nil {
			err = places[i].Apart(videos)
		}
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("annotated video: %w", err)}
		}
	}
	return places, nil
}

// nothingRead says whether nothing that is written is something that is read: videos, photos and the model pack.
func nothingRead(writes []*outfile.Place, videos []string, photos []engine.Photo, c config.Config) error {
	reads := slices.Clone(videos)
	for _, p := range photos {
		reads = append(reads, p.Path)
	}
	folder := engine.ModelsFolder(c)
	entries, _ := os.ReadDir(folder) // if it cannot be read, that is told when the pack is loaded
	for _, e := range entries {
		reads = append(reads, filepath.Join(folder, e.Name()))
	}
	for _, w := range writes {
		if err := w.Apart(reads); err != nil {
			return &fault.UsageError{Err: err}
		}
	}
	if err := outfile.Distinct(writes); err != nil {
		return &fault.UsageError{Err: err}
	}
	return nil
}

// annotatedVideo is the kind of the copies that a search writes. They say so in a comment among the movie's data, which
// comes before the pictures and within the first megabytes.
func annotatedVideo() outfile.Kind {
	return outfile.Kind{Name: "an annotated copy of an earlier search", Is: func(f *os.File) bool {
		r := io.NewSectionReader(f, 0, math.MaxInt64)
		for range 16 { // boxes; "moov" is the second
			var head [8]byte // size and name (ISO/IEC 14496-12, 4.2)
			if _, err := io.ReadFull(r, head[:]); err != nil {
				return false
			}
			size := int64(binary.BigEndian.Uint32(head[:])) - int64(len(head))
			if string(head[4:]) == "moov" {
				data, err := io.ReadAll(io.LimitReader(r, min(size, maxMovieData)))
				return err == nil && bytes.Contains(data, []byte(video.OverlayComment))
			}
			if _, err := r.Seek(size, io.SeekCurrent); err != nil || size < 0 {
				return false
			}
		}
		return false
	}}
}

// maxMovieData bounds what is read of a movie's data: a day of video at 60 frames a second has some 40 MB.
const maxMovieData = 64 << 20

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
