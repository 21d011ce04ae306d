package app

import (
	"crypto/sha256"

	"github.com/spotter-video/spotter/internal/face"
)

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
