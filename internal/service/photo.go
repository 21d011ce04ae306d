package service

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// read is the bytes of an image, within the limit that holds for where it comes from.
func (s *Service) read(ctx context.Context, i Image) ([]byte, error) {
	switch {
	case (i.Object != nil) == (len(i.Bytes) > 0):
		return nil, Errorf(Invalid, "Request has invalid parameters: an image is either its bytes or an object of a bucket")
	case i.Object != nil:
		return s.ports.Objects.Read(ctx, *i.Object, s.settings.MaxImage)
	case int64(len(i.Bytes)) > s.settings.MaxInline:
		return nil, Errorf(ImageTooLarge, "Image size is too large.")
	default:
		return i.Bytes, nil
	}
}

// look finds the faces of an image, those with the largest boxes first. One of a bucket waits for its turn to be read.
func (s *Service) look(ctx context.Context, i Image, want Wanted) ([]byte, []PhotoFace, error) {
	if i.Object != nil {
		select {
		case s.photos <- struct{}{}:
			defer func() { <-s.photos }()
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
	content, err := s.read(ctx, i)
	if err != nil {
		return nil, nil, err
	}
	faces, err := s.ports.Photos.Look(ctx, content, want)
	slices.SortStableFunc(faces, func(a, b PhotoFace) int { return cmp.Compare(area(b.Box), area(a.Box)) })
	return content, faces, err
}

func area(b face.Box) float32 { return b.Width * b.Height }

// bar is how good a face must be to pass a filter.
type bar struct {
	height                float32 // pixels
	yaw, pitch            float32 // degrees to either side
	brightness, sharpness float32 // 0..100
	confidence            float32 // percent
	weak                  bool    // whether a face of which the embedder makes little passes
}

// bar of a filter. Medium is what `spotter search` asks of a photo to enrol (docs/decisions/0003-default-pack.md); high
// wants a portrait, low takes what can just be told from others. Auto is medium without the embedder's opinion: a family photo's
// faces are small and soft, and of faces of 40 to 60 pixels more than half are weak to it, though faces all the same. The
// figures beside those of medium are judgement.
func (q QualityFilter) bar() bar {
	switch q {
	case QualityNone:
		return bar{yaw: 180, pitch: 180, weak: true}
	case QualityLow:
		return bar{height: 24, yaw: 75, pitch: 60, brightness: 5, confidence: 50, weak: true}
	case QualityAuto, "":
		return bar{height: 40, yaw: 65, pitch: 50, brightness: 10, sharpness: 15, confidence: 65, weak: true}
	case QualityHigh:
		return bar{height: 80, yaw: 35, pitch: 30, brightness: 25, sharpness: 25, confidence: 90}
	default:
		return bar{height: 40, yaw: 65, pitch: 50, brightness: 10, confidence: 65}
	}
}

// reasons says why a face does not pass; none if it does.
func (b bar) reasons(f *PhotoFace) []Reason {
	var list []Reason
	add := func(r Reason, wrong bool) {
		if wrong {
			list = append(list, r)
		}
	}
	add(SmallBoundingBox, f.Height < b.height)
	add(ExtremePose, abs(f.Pose.Yaw) > b.yaw || abs(f.Pose.Pitch) > b.pitch)
	add(LowBrightness, f.Quality.Brightness < b.brightness)
	add(LowSharpness, f.Quality.Sharpness < b.sharpness)
	add(LowConfidence, f.Confidence < b.confidence)
	add(LowFaceQuality, f.Weak && !b.weak)
	return list
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// ImageID is the id of a photo by the digest of its bytes, whoever is on it: the same for every collection, and for a search
// from the command line.
func ImageID(photo [sha256.Size]byte) face.ID { return derivedID("image", photo, "", face.Box{}) }

// faceID is the id of a face to enrol. The same face of the same photo under the same name is the same face within one
// collection, so that indexing twice stores once; in any other collection, also in one that is made anew under the same
// name, it is another face, so that whoever keys a table by it mixes nobody up. A face that was enrolled before ids told
// collections apart keeps its id: these are in before.
func faceID(c *Collection, before map[face.ID]Face, photo [sha256.Size]byte, name string, box face.Box) face.ID {
	id := idOfBefore(photo, name, box)
	if _, enrolled := before[id]; enrolled {
		return id
	}
	kind := fmt.Sprintf("face of %q, number %d, of %d", c.ID, c.Serial, c.Created.UnixMilli())
	return derivedID(kind, photo, name, box)
}

// idOfBefore is the id that a face had before ids told collections apart.
func idOfBefore(photo [sha256.Size]byte, name string, box face.Box) face.ID {
	return derivedID("face", photo, name, box)
}

// idsOfBefore finds those of a photo's faces that were enrolled before ids told collections apart.
func (s *Service) idsOfBefore(
	ctx context.Context, c *Collection, photo [sha256.Size]byte, name string, chosen []PhotoFace,
) (map[face.ID]Face, error) {
	ids := make([]face.ID, len(chosen))
	for i, f := range chosen {
		ids[i] = idOfBefore(photo, name, f.Box)
	}
	return s.facesByID(ctx, c, ids)
}

// derivedID is the id of what was taken from a photo.
func derivedID(kind string, photo [sha256.Size]byte, name string, box face.Box) face.ID {
	h := sha256.New()
	h.Write([]byte("spotter indexed " + kind + "\x00"))
	h.Write(photo[:])
	h.Write([]byte(name + "\x00"))
	for _, x := range [4]float32{box.Left, box.Top, box.Width, box.Height} {
		h.Write(binary.BigEndian.AppendUint32(nil, math.Float32bits(x)))
	}
	return face.HashedID(h.Sum(nil))
}
