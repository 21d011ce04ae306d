package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// person is somebody enrolled, with the embedding of each photo.
type person struct {
	name    string
	vectors [][]float32
}

// loop finds, embeds and compares the faces of each frame by itself.
type loop struct {
	recognizer *recognizer.Recognizer
	people     []person
	crop       face.Crop
	mirrored   bool // embed each face's mirror image as well
}

// What the loop does with a face.
const (
	once     = "once"
	mirrored = "mirrored"
)

// runLoop is the loop as a program of its own, so that its processor time is counted as the others' is. Arguments are the model
// pack, "once" or "mirrored", the folder of people, and the video.
func runLoop(ctx context.Context, args []string, w io.Writer) (err error) {
	if len(args) != 4 || args[1] != once && args[1] != mirrored {
		return errors.New("usage: peers loop MODELS once|mirrored PEOPLE VIDEO")
	}
	pack, err := recognizer.LoadUncalibrated(args[0])
	if err != nil {
		return err
	}
	runtime, err := recognizer.NewRuntime("", args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	l := &loop{mirrored: args[1] == mirrored}
	if l.recognizer, err = runtime.New(pack, recognizer.Options{}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.recognizer.Close()) }()
	if err = l.enrol(ctx, args[2]); err != nil {
		return err
	}
	out := json.NewEncoder(w)
	return decode(ctx, args[3], func(f *face.Frame) error {
		found, err := l.look(ctx, f)
		if err != nil {
			return err
		}
		return out.Encode(seen{At: int(f.Time.Milliseconds()), Faces: found})
	})
}

// enrol embeds the largest face of each photo: FOLDER/PERSON.jpg or FOLDER/PERSON/*.jpg.
func (l *loop) enrol(ctx context.Context, folder string) error {
	//nolint:gosec // named by the person who runs the measurement
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		name, _, _ = strings.Cut(filepath.ToSlash(name), "/")
		vector, err := l.photograph(ctx, path)
		switch {
		case err != nil:
			return fmt.Errorf("enrol %s: %w", path, err)
		case vector == nil:
			fmt.Fprintf(os.Stderr, "no face in %s\n", path)
		case len(l.people) > 0 && l.people[len(l.people)-1].name == name:
			p := &l.people[len(l.people)-1]
			p.vectors = append(p.vectors, vector)
		default:
			l.people = append(l.people, person{name, [][]float32{vector}})
		}
		return nil
	})
}

// photograph is the embedding of a photo's largest face, or nil.
func (l *loop) photograph(ctx context.Context, path string) ([]float32, error) {
	content, err := os.ReadFile(path) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	picture, err := photo.Decode(bytes.NewReader(content), photo.DefaultLimits())
	if err != nil {
		return nil, err
	}
	faces, err := l.recognizer.Faces(ctx, picture)
	for _, f := range faces {
		if !f.Doubtful {
			return f.Sample.Embedding.Vector, nil
		}
	}
	return nil, err
}

// look finds the faces of a frame, and who each resembles most.
func (l *loop) look(ctx context.Context, f *face.Frame) ([]named, error) {
	detections, err := l.recognizer.Detect(ctx, f, face.Look{})
	if err != nil {
		return nil, err
	}
	out := make([]named, 0, len(detections))
	for i := range detections {
		l.recognizer.Align(&f.Full, &detections[i], &l.crop)
		sample, err := l.embed(ctx)
		if err != nil {
			return nil, err
		}
		best := named{Score: -1}
		for _, p := range l.people {
			for _, v := range p.vectors {
				if s := face.Dot(sample.Embedding.Vector, v); s > best.Score {
					best = named{p.name, s}
				}
			}
		}
		out = append(out, best)
	}
	return out, nil
}

func (l *loop) embed(ctx context.Context) (face.Sample, error) {
	if l.mirrored {
		return l.recognizer.Embed(ctx, &l.crop)
	}
	return l.recognizer.EmbedView(ctx, &l.crop, false)
}
