package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/service"
)

// newcomer is what became of one photo: a face, or the reason why not.
type newcomer struct {
	face     face.Enrolled
	vector   []float32
	portrait []byte
	photo    [sha256.Size]byte
	refused  string
	notes    []string // what wants attention though the photo is enrolled
}

// newcomer reads one photo. Errors are those of the machinery; what is wrong with the photo is in the answer.
func (e *Engine) newcomer(ctx context.Context, kept *memory, shot Photo, portrait bool) (newcomer, error) {
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
		ID: faceID(n.photo, shot.Person+"\x00"+shot.Name), ImageID: service.ImageID(n.photo), Detection: seen.Detection,
		ExternalID: shot.ExternalID,
	}
	return n, nil
}

// extension is how a photo's name says what kind it is: .jpg and the like.
func extension(path string) string { return strings.ToLower(filepath.Ext(path)) }

// see looks for the face to enrol in a photo.
func (e *Engine) see(ctx context.Context, name string, content []byte, portrait bool) (seen seenPhoto, err error) {
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

// faceID is the id of an enrolled face in a search from the command line: the same photo under the same name has the same id
// in every run and on every machine, so that results can be compared. The name is the person's and the photo's own, not the
// external id, in which different names may be written alike.
//
// It is not the id that a server gives the face, and cannot be: a server's face is one of a collection and one of several of
// its photo, known by its box, and here are neither collections nor a second face. The photo's id is the server's.
func faceID(photo [sha256.Size]byte, name string) face.ID {
	h := sha256.New()
	h.Write([]byte("spotter face\x00"))
	h.Write(photo[:])
	h.Write([]byte(name))
	return face.HashedID(h.Sum(nil))
}
