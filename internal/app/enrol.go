package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/report"
	"github.com/spotter-video/spotter/internal/service"
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
	notes    []string // what wants attention though the photo is enrolled
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
	alike(photos, newcomers, e.pack.Cohort(), e.pack.Calibration(), out)
	if len(p.Faces) == 0 {
		return nil, errors.Join(&NoFacesError{Photos: len(photos)}, index.Close())
	}
	out.send(EnrolmentDone{Faces: len(p.Faces), People: p.count()})
	return p, nil
}

// look reads the photos, as many at a time as there are recognizers, or remembers them. The answer has the photos' order.
func (e *engine) look(ctx context.Context, photos []snapshot, portraits bool, out *events) ([]newcomer, error) {
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
			list[i], err = e.newcomer(ctx, kept, shot, portraits)
			out.send(PhotoDone{Done: int(done.Add(1)), Photos: len(photos)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	kept.tidy()
	return list, nil
}

// newcomer reads one photo. Errors are those of the machinery; what is wrong with the photo is in the answer.
func (e *engine) newcomer(ctx context.Context, kept *memory, shot snapshot, portrait bool) (newcomer, error) {
	if err := ctx.Err(); err != nil {
		return newcomer{}, err
	}
	content, err := readPhoto(shot.Path, e.config.MaxPhotoSize)
	if err != nil {
		return newcomer{refused: fault.Reason(err)}, nil // refused, not fatal
	}
	key := kept.key(content, fmt.Sprint(extension(shot.Path), portrait))
	seen, known := kept.recall(key)
	if !known {
		if seen, err = e.see(ctx, shot.Path, content, portrait); err != nil {
			return newcomer{}, fmt.Errorf("enrol %s: %w", shot.Path, err)
		}
		kept.keep(key, &seen)
	}
	n := newcomer{photo: sha256.Sum256(content), vector: seen.Vector, portrait: seen.Portrait, refused: seen.Refused, notes: seen.Notes}
	n.face = face.Enrolled{
		ID: faceID(n.photo, shot.Person+"\x00"+shot.Photo), ImageID: service.ImageID(n.photo), Detection: seen.Detection,
		ExternalID: awsapi.ExternalImageID(shot.Person, shot.Photo),
	}
	return n, nil
}

// extension is how a photo's name says what kind it is: .jpg and the like.
func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// see looks for the face to enrol in a photo.
func (e *engine) see(ctx context.Context, name string, content []byte, portrait bool) (seen seenPhoto, err error) {
	rec, err := e.recognizers.take(ctx)
	if err != nil {
		return seen, err
	}
	defer e.recognizers.give(rec)
	defer e.trace.begin(e.recognizers.number(rec), "enrol "+name)()
	limits := photo.DefaultLimits()
	limits.Bytes, limits.JPEG = int64(e.config.MaxPhotoSize), still(ctx, e.decoder)
	switch extension(name) { // under another name it is a mistake
	case ".webp":
		limits.WebP = true
	case ".heic", ".heif", ".hif":
		limits.HEVC = frames(ctx, e.decoder)
	}
	const turned = 3 // copies: see enrolUpright
	picture, done, err := e.photos.Decode(ctx, content, limits, turned)
	if err != nil {
		return seenPhoto{Refused: err.Error(), unread: true}, ctx.Err() // refused, not fatal
	}
	defer done()
	found, others, upright, err := enrolUpright(ctx, rec, picture)
	if refusal := (*recognizer.RefusedError)(nil); errors.As(err, &refusal) {
		return seenPhoto{Refused: refusal.Error()}, nil
	}
	if err != nil {
		return seen, err
	}
	seen.Vector, seen.Detection = found.Sample.Embedding.Vector, found.Detection
	if upright != picture {
		seen.Notes = append(seen.Notes, "lies on its side or on its head; its face was enrolled upright")
	}
	if note := whoWasTaken(&found, others); note != "" {
		seen.Notes = append(seen.Notes, note)
	}
	if portrait {
		seen.Portrait = portraitJPEG(rec.Portrait(upright, &found.Detection))
	}
	return seen, nil
}

// enrolUpright enrols the face of a picture, or of the picture turned by quarters where it has none as it is: many a photo
// lies on its side and does not say so. It returns the picture that the face was found in, and the error of the picture as it
// is.
func enrolUpright(
	ctx context.Context, rec *recognizer.Recognizer, p *face.Picture,
) (found recognizer.Face, others []recognizer.Face, in *face.Picture, err error) {
	found, others, err = rec.Enrol(ctx, p)
	refusal := (*recognizer.RefusedError)(nil)
	if !errors.As(err, &refusal) {
		return found, others, p, err
	}
	for _, quarters := range []int{1, 3, 2} { // on its side before on its head
		turned := photo.Turned(p, quarters)
		if f, rest, again := rec.Enrol(ctx, turned); !errors.As(again, new(*recognizer.RefusedError)) {
			return f, rest, turned, again
		}
	}
	return found, others, p, err
}

// whoWasTaken says which face of several was enrolled; empty where it was the only one of its size. Faces of less than a
// third of its height are passers-by.
func whoWasTaken(f *recognizer.Face, others []recognizer.Face) string {
	rivals, larger, left, right := 0, "", 0, 0
	for _, o := range others {
		if 3*o.Height < f.Height {
			continue
		}
		rivals++
		if o.Height > f.Height && larger == "" {
			larger = o.Refused
		}
		if o.Detection.Box.Center().X < f.Detection.Box.Center().X {
			left++
		} else {
			right++
		}
	}
	if rivals == 0 {
		return ""
	}
	where := fmt.Sprintf("number %d from the left", left+1)
	if left == 0 {
		where = "on the left"
	} else if right == 0 {
		where = "on the right"
	}
	if larger != "" {
		return fmt.Sprintf("%d faces; the one %s was enrolled, as a larger one %s", rivals+1, where, larger)
	}
	size := "largest"
	if rivals == 1 {
		size = "larger"
	}
	return fmt.Sprintf("%d faces; the %s one, %s, was enrolled", rivals+1, size, where)
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
		for _, note := range n.notes {
			out.send(Noted{Path: shot.Path, Reason: note})
		}
		ids, vectors = append(ids, n.face.ID), append(vectors, n.vector...)
		p.Faces[n.face.ID], p.Person[n.face.ID] = n.face, shot.Person
		if n.portrait != nil {
			p.Photos[n.face.ID] = n.portrait
		}
	}
	return p.index.Add(ids, vectors)
}

// sameFace is the similarity from which two photos of two names are pointed out as one face: one in ten million pairs of
// strangers reaches it, and most pairs of one person do.
const sameFace face.Similarity = 99

// mostCompared bounds how many photos are compared with each other: 2,000 take half a second.
const mostCompared = 2000

// alike points out photos of different names whose faces are alike, each photo once.
func alike(photos []snapshot, newcomers []newcomer, cohort *face.Cohort, scale *face.Calibration, out *events) {
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
				out.send(Noted{Path: photos[i].Path, Reason: fmt.Sprintf(
					"shows the face of %s: %s and %s may be one person under two names", photos[j].Path, photos[j].Person, photos[i].Person)})
				break
			}
		}
	}
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
