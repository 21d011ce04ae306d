package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

// Photo is a photo to enrol, of which nothing has been read yet.
type Photo struct {
	Path string
	// Person is who it is of, and Name tells their photos apart; empty where a person has one only.
	Person, Name string
	// ExternalID is the enrolled face's: see [face.Enrolled].
	ExternalID string
}

// People are those who are searched for. Close them.
type People struct {
	Faces  map[face.ID]face.Enrolled
	Person map[face.ID]string // by the names of their photos
	// Portraits are of the enrolled faces as JPEG; may lack some.
	Portraits map[face.ID][]byte
	// Threshold is the lowest similarity that counts as a match against so many faces.
	Threshold face.Similarity

	gallery *gallery.Gallery
	vectors []float32 // of the faces, one after another
}

// Enrolment is what is wanted of photos beside their faces, and who is told how it goes.
type Enrolment struct {
	// Portraits asks for pictures of the enrolled faces.
	Portraits bool
	// Progress is told how many photos have been read, by several goroutines.
	Progress func(done int)
	// Note is told what is wrong with a photo, or wants attention, once all have been read and in their order; refused says that it
	// is not enrolled.
	Note func(path, reason string, refused bool)
}

type noteFunc = func(path, reason string, refused bool)

// Enrol makes a gallery of the faces of photos, the largest of each. A photo that cannot be used is noted and left out; so there may
// be nobody in the end.
func (e *Engine) Enrol(ctx context.Context, photos []Photo, o Enrolment) (*People, error) {
	newcomers, err := e.look(ctx, photos, &o)
	if err != nil {
		return nil, err
	}
	index, err := gallery.New(e.pack.Dim())
	if err != nil {
		return nil, err
	}
	p := newPeople(index)
	if err := p.add(photos, newcomers, o.Note); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	alike(photos, newcomers, e.pack.Cohort(), e.pack.Calibration(), o.Note)
	p.Threshold = e.threshold(len(p.Faces))
	return p, nil
}

func newPeople(index *gallery.Gallery) *People {
	return &People{
		Faces: map[face.ID]face.Enrolled{}, Person: map[face.ID]string{}, Portraits: map[face.ID][]byte{}, gallery: index,
	}
}

// Close frees the gallery.
func (p *People) Close() error { return p.gallery.Close() }

// Count is how many different people there are.
func (p *People) Count() int {
	names := map[string]bool{}
	for _, name := range p.Person {
		names[name] = true
	}
	return len(names)
}

// look reads the photos, as many at a time as there are recognizers, or remembers them. The answer has the photos' order.
func (e *Engine) look(ctx context.Context, photos []Photo, o *Enrolment) ([]newcomer, error) {
	kept, err := openMemory(&e.config, aboutPhotos(e.pack))
	if err != nil {
		return nil, err
	}
	list := make([]newcomer, len(photos))
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.recognizers.size())
	for i, shot := range photos {
		group.Go(func() (err error) {
			list[i], err = e.newcomer(ctx, kept, shot, o.Portraits)
			o.Progress(int(done.Add(1)))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	kept.tidy()
	return list, nil
}

// add puts the faces into the gallery and says what was refused, in the photos' order.
func (p *People) add(photos []Photo, newcomers []newcomer, note noteFunc) error {
	owner := map[[sha256.Size]byte]int{}
	var ids []face.ID
	var vectors []float32
	for i, n := range newcomers {
		shot := photos[i]
		if n.refused != "" {
			note(shot.Path, n.refused, true)
			continue
		}
		if first, again := owner[n.photo]; again {
			note(shot.Path, sameAs(shot, photos[first]), false)
			if shot.Person == photos[first].Person {
				continue
			}
		} else {
			owner[n.photo] = i
		}
		for _, odd := range n.notes {
			note(shot.Path, odd, false)
		}
		ids, vectors = append(ids, n.face.ID), append(vectors, n.vector...)
		p.Faces[n.face.ID], p.Person[n.face.ID] = n.face, shot.Person
		if n.portrait != nil {
			p.Portraits[n.face.ID] = n.portrait
		}
	}
	p.vectors = vectors
	return p.gallery.Add(ids, vectors)
}

// sameFace is the similarity from which two photos of two names are pointed out as one face: one in ten million pairs of
// strangers reaches it, and most pairs of one person do.
const sameFace face.Similarity = 99

// mostCompared bounds how many photos are compared with each other: 2,000 take half a second.
const mostCompared = 2000

// alike points out photos of different names whose faces are alike, each photo once.
func alike(photos []Photo, newcomers []newcomer, cohort *face.Cohort, scale *face.Calibration, note noteFunc) {
	newcomers = newcomers[:min(len(newcomers), mostCompared)]
	impostors := make([]face.Impostors, len(newcomers))
	for i, n := range newcomers {
		if n.refused == "" {
			impostors[i] = cohort.Impostors(n.vector)
		}
	}
	for i, n := range newcomers {
		for j, m := range newcomers[:i] {
			if n.refused != "" || m.refused != "" || n.photo == m.photo || photos[i].Person == photos[j].Person {
				continue
			}
			score := face.Score(face.Dot(n.vector, m.vector))
			if scale.Between(score, impostors[i], impostors[j]) >= sameFace {
				note(photos[i].Path, fmt.Sprintf("shows the face of %s: %s and %s may be one person under two names",
					photos[j].Path, photos[j].Person, photos[i].Person), false)
				break
			}
		}
	}
}

func sameAs(shot, first Photo) string {
	if shot.Person == first.Person {
		return "the same photo as " + first.Path + "; enrolled once"
	}
	return fmt.Sprintf("the same photo as %s: it stands for both %s and %s", first.Path, first.Person, shot.Person)
}
