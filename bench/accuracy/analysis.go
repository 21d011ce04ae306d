package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/video"
)

// laboratory looks at each video once, and then answers for any choice of enrolled people and any threshold: what the
// command line would answer, without decoding everything again.
type laboratory struct {
	pack       *recognizer.Pack
	recognizer *recognizer.Recognizer
	runtime    *recognizer.Runtime
	decoder    *video.Decoder
}

func newLaboratory(o options) (_ *laboratory, err error) {
	l := &laboratory{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if l.pack, err = recognizer.LoadPack(o.models); err != nil {
		return nil, err
	}
	if l.runtime, err = recognizer.NewRuntime("", o.models); err != nil {
		return nil, err
	}
	if l.recognizer, err = l.runtime.New(l.pack, recognizer.Options{}); err != nil {
		return nil, err
	}
	settings := video.DefaultConfig()
	settings.Helper = filepath.Join(filepath.Dir(o.spotter), "spotter-decode")
	l.decoder, err = video.New(settings)
	return l, err
}

// Close frees the models.
func (l *laboratory) Close() error {
	var err error
	if l.recognizer != nil {
		err = l.recognizer.Close()
	}
	if l.runtime != nil {
		err = errors.Join(err, l.runtime.Close())
	}
	return err
}

// analysed is a video that has been looked at, and the people enrolled for it.
type analysed struct {
	*laboratory
	params    search.Params
	stretches []*search.Tracklets
	faces     []enrolled
	work      work
}

// enrolled is one face of one person.
type enrolled struct {
	id     face.ID
	person string
	vector []float32
}

// analyse looks at a video at so many frames a second.
func (l *laboratory) analyse(ctx context.Context, path string, sampleRate float64) (_ *analysed, err error) {
	params := search.DefaultParams(*l.pack.Scale())
	params.SampleRate = sampleRate
	return l.analyseWith(ctx, path, params)
}

// analyseWith looks at a video and counts what that takes.
func (l *laboratory) analyseWith(ctx context.Context, path string, params search.Params) (_ *analysed, err error) {
	a := &analysed{laboratory: l, params: params, work: work{Recognizer: l.recognizer}}
	f, err := os.Open(path) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	plan, err := l.decoder.Plan(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, segment := range plan.Segments {
		stream, err := l.decoder.Open(ctx, f, plan, segment, video.StreamOptions{SampleRate: params.SampleRate, Lookahead: 2})
		if err != nil {
			return nil, err
		}
		tracklets, err := search.Analyze(ctx, search.Stretch{
			Index: segment.Index, Frames: stream, Detector: &a.work, Embedder: &a.work, Params: a.params,
			Cohort: l.pack.Cohort(),
		})
		if err = errors.Join(err, stream.Close()); err != nil {
			return nil, err
		}
		a.stretches = append(a.stretches, tracklets)
	}
	return a, nil
}

// enrol adds the people of a folder: FOLDER/PERSON.jpg or FOLDER/PERSON/*.jpg. Photos that are refused are left out.
func (a *analysed) enrol(ctx context.Context, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // as above
		if err != nil {
			return err
		}
		picture, err := photo.Decode(bytes.NewReader(content), photo.DefaultLimits())
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		found, _, err := a.recognizer.Enrol(ctx, picture)
		if refused := (*recognizer.RefusedError)(nil); errors.As(err, &refused) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("enrol %s: %w", path, err)
		}
		name, _ := filepath.Rel(folder, path)
		person, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		a.faces = append(a.faces, enrolled{
			id: numbered(len(a.faces)), person: strings.TrimSuffix(person, filepath.Ext(person)), vector: found.Sample.Embedding.Vector,
		})
		return nil
	})
}

// people are the names of those enrolled.
func (a *analysed) people() []string {
	var names []string
	seen := map[string]bool{}
	for _, f := range a.faces {
		if !seen[f.person] {
			seen[f.person] = true
			names = append(names, f.person)
		}
	}
	return names
}

// numbered is the id of the n-th enrolled face.
func numbered(n int) (id face.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)) //nolint:gosec // counts from 0
	return id
}

// person is who an enrolled face is of.
func (a *analysed) person(id face.ID) string { return a.faces[binary.BigEndian.Uint64(id[:])].person }

// named are the persons of faces.
func (a *analysed) named(_ context.Context, ids []face.ID) (map[face.ID]string, error) {
	names := make(map[face.ID]string, len(ids))
	for _, id := range ids {
		names[id] = a.person(id)
	}
	return names, nil
}

// answer searches the video for those of the people who are admitted.
func (a *analysed) answer(ctx context.Context, threshold face.Similarity, admit func(person string) bool) (*search.Result, error) {
	index, err := gallery.New(a.pack.Dim())
	if err != nil {
		return nil, err
	}
	defer index.Close() //nolint:errcheck // it is nil
	var ids []face.ID
	var vectors []float32
	for _, f := range a.faces {
		if admit(f.person) {
			ids, vectors = append(ids, f.id), append(vectors, f.vector...)
		}
	}
	if err := index.Add(ids, vectors); err != nil {
		return nil, err
	}
	snapshot := index.Snapshot()
	defer snapshot.Close() //nolint:errcheck // it is nil
	return search.Finish(ctx, a.stretches, search.Matching{
		Gallery: snapshot, Cohort: a.pack.Cohort(), Calibration: a.pack.Calibration(),
		Threshold: threshold, MaxMatches: 10, Params: a.params, People: a.named,
	})
}
