package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// maxPhoto bounds one photo of the tar file; LFW's have 20 KB.
const maxPhoto = 5 << 20 // bytes

// picture is one photo of one person.
type picture struct {
	person, name string
	file         []byte
	// The person's face as it is searched for and as it is enrolled; nil where none was found.
	vector, template []float32
	// woman says whether the face looks like one to the pack's gender model; nil where that was not asked or not told.
	woman *bool
}

// embedAll reads the photos of a tar file and embeds the person of each, and tells the gender where that is asked. The result
// is sorted by name.
func embedAll(ctx context.Context, pack *recognizer.Pack, tarFile string, workers int, gender bool) ([]picture, error) {
	pictures, err := readTar(tarFile)
	if err != nil {
		return nil, err
	}
	runtime, err := recognizer.NewRuntime("", pack.Dir())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, runtime.Close()) }()
	group, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() (err error) {
			r, err := runtime.New(pack, recognizer.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			for i := w; i < len(pictures); i += workers {
				if err := embed(ctx, r, &pictures[i], gender); err != nil {
					return fmt.Errorf("embed %s: %w", pictures[i].name, err)
				}
			}
			return nil
		})
	}
	return pictures, group.Wait()
}

func readTar(name string) (pictures []picture, err error) {
	f, err := os.Open(name) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if h.Typeflag != tar.TypeReg || path.Ext(h.Name) != ".jpg" {
			continue
		}
		if h.Size > maxPhoto {
			return nil, fmt.Errorf("read %s: %s is larger than a photo", name, h.Name)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		p := picture{person: path.Base(path.Dir(h.Name)), name: strings.TrimSuffix(path.Base(h.Name), ".jpg"), file: content}
		pictures = append(pictures, p)
	}
	slices.SortFunc(pictures, func(a, b picture) int { return strings.Compare(a.name, b.name) })
	return pictures, nil
}

func embed(ctx context.Context, r *recognizer.Recognizer, p *picture, gender bool) error {
	decoded, err := photo.Decode(bytes.NewReader(p.file), photo.DefaultLimits())
	if err != nil {
		return err
	}
	faces, err := r.Faces(ctx, decoded)
	if err != nil {
		return err
	}
	f := subject(faces)
	if f == nil {
		return nil
	}
	enrolled, err := r.Template(ctx, decoded, f)
	if err != nil {
		return err
	}
	p.vector, p.template = f.Sample.Embedding.Vector, enrolled.Embedding.Vector
	if !gender {
		return nil
	}
	attributes, err := r.Attributes(ctx, decoded, &f.Detection)
	if err == nil && attributes.Gender != nil {
		woman := attributes.Gender.Female
		p.woman = &woman
	}
	return err
}

// subject is the face that a photo of LFW shows: a large one near the middle. nil if there is none.
func subject(faces []recognizer.Face) *recognizer.Face {
	var best *recognizer.Face
	most := math.Inf(-1)
	for i := range faces {
		box := faces[i].Detection.Box
		c := box.Center()
		if v := float64(box.Height) - math.Hypot(float64(c.X)-0.5, float64(c.Y)-0.5); v > most {
			best, most = &faces[i], v
		}
	}
	return best
}
