package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/report"
)

// people are those who are searched for.
type people struct {
	report.Gallery
	index *gallery.Gallery
}

// newcomer is what became of one photo: a face, or the reason why not.
type newcomer struct {
	face     face.Enrolled
	vector   []float32
	portrait []byte
	photo    [sha256.Size]byte
	refused  string
}

// enrol makes a gallery of the faces of photos. A photo that cannot be used is told of and left out; that none can be
// used is an error.
func (e *engine) enrol(ctx context.Context, photos []snapshot, portraits bool, out *events) (*people, error) {
	out.send(EnrolmentStarted{Photos: len(photos)})
	newcomers, err := e.look(ctx, photos, portraits, out)
	if err != nil {
		return nil, err
	}
	index, err := gallery.New(e.pack.Dim())
	if err != nil {
		return nil, err
	}
	p := &people{index: index, Gallery: report.Gallery{
		Faces: map[face.ID]face.Enrolled{}, Person: map[face.ID]string{}, Photos: map[face.ID][]byte{},
	}}
	if err := p.add(photos, newcomers, out); err != nil {
		return nil, errors.Join(err, index.Close())
	}
	if len(p.Faces) == 0 {
		return nil, errors.Join(&NoFacesError{Photos: len(photos)}, index.Close())
	}
	out.send(EnrolmentDone{Faces: len(p.Faces), People: p.count()})
	return p, nil
}

// look reads the photos, as many at a time as there are recognizers. The answer has the photos' order.
func (e *engine) look(ctx context.Context, photos []snapshot, portraits bool, out *events) ([]newcomer, error) {
	list := make([]newcomer, len(photos))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for i, shot := range photos {
		rec, err := e.recognizers.take(ctx)
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		group.Go(func() error {
			defer e.recognizers.give(rec)
			var err error
			list[i], err = e.newcomer(ctx, rec, shot, portraits)
			out.send(PhotoDone{Done: int(done.Add(1)), Photos: len(photos)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return list, nil
}

// newcomer reads one photo. Errors are those of the machinery; what is wrong with the photo is in the answer.
func (e *engine) newcomer(
	ctx context.Context, rec *recognizer.Recognizer, shot snapshot, portrait bool,
) (newcomer, error) {
	if err := ctx.Err(); err != nil {
		return newcomer{}, err
	}
	content, err := readPhoto(shot.Path, e.config.MaxPhotoSize)
	if err != nil {
		return newcomer{refused: reason(err)}, nil // refused, not fatal
	}
	limits := photo.DefaultLimits()
	limits.Bytes = int64(e.config.MaxPhotoSize)
	picture, err := photo.Decode(bytes.NewReader(content), limits)
	if err != nil {
		return newcomer{refused: err.Error()}, nil //nolint:nilerr // as above
	}
	found, err := rec.Enrol(ctx, picture)
	if refusal := (*recognizer.RefusedError)(nil); errors.As(err, &refusal) {
		return newcomer{refused: refusal.Error()}, nil
	}
	if err != nil {
		return newcomer{}, fmt.Errorf("enrol %s: %w", shot.Path, err)
	}
	n := newcomer{photo: sha256.Sum256(content), vector: found.Sample.Embedding.Vector}
	external := awsapi.ExternalImageID(shot.Person, shot.Photo)
	n.face = face.Enrolled{
		ID: faceID(n.photo, shot.Person+"\x00"+shot.Photo), ImageID: imageID(n.photo), ExternalID: external, Detection: found.Detection,
	}
	if portrait {
		n.portrait = portraitJPEG(rec.Portrait(picture, &found.Detection))
	}
	return n, nil
}

// readPhoto reads a photo's file, if it is one and not too long. Opening does not wait for the other end of a pipe.
func readPhoto(path string, limit config.Size) (content []byte, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the user names the folder
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() == 0:
		return nil, errors.New("the file is empty")
	case info.Size() > int64(limit):
		return nil, fmt.Errorf("the file has %.1f MB; at most %.1f are read (--max-photo-size): make the photo smaller",
			float64(info.Size())/1e6, float64(limit)/1e6)
	}
	return io.ReadAll(io.LimitReader(f, int64(limit)))
}

// add puts the faces into the gallery and says what was refused, in the photos' order.
func (p *people) add(photos []snapshot, newcomers []newcomer, out *events) error {
	owner := map[[sha256.Size]byte]int{}
	var ids []face.ID
	var vectors []float32
	for i, n := range newcomers {
		shot := photos[i]
		if n.refused != "" {
			out.send(Noted{Path: shot.Path, Reason: n.refused, Refused: true})
			continue
		}
		if first, again := owner[n.photo]; again {
			out.send(Noted{Path: shot.Path, Reason: sameAs(shot, photos[first])})
			if shot.Person == photos[first].Person {
				continue
			}
		} else {
			owner[n.photo] = i
		}
		ids, vectors = append(ids, n.face.ID), append(vectors, n.vector...)
		p.Faces[n.face.ID], p.Person[n.face.ID] = n.face, shot.Person
		if n.portrait != nil {
			p.Photos[n.face.ID] = n.portrait
		}
	}
	return p.index.Add(ids, vectors)
}

func sameAs(shot, first snapshot) string {
	if shot.Person == first.Person {
		return "the same photo as " + first.Path + "; enrolled once"
	}
	return fmt.Sprintf("the same photo as %s: it stands for both %s and %s", first.Path, first.Person, shot.Person)
}

// count is how many different people there are.
func (p *people) count() int {
	names := map[string]bool{}
	for _, name := range p.Person {
		names[name] = true
	}
	return len(names)
}
