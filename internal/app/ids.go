package app

import (
	"crypto/sha256"

	"github.com/spotter-video/spotter/internal/face"
)

// faceID is the id of an enrolled face: the same photo under the same name has the same id in every run and on every
// machine, so that results can be compared. The name is the person's and the photo's own, not the external id, in which
// different names may be written alike.
func faceID(photo [sha256.Size]byte, name string) face.ID { return derivedID("face", photo, name) }

// imageID is the id of a photo, whoever is on it.
func imageID(photo [sha256.Size]byte) face.ID { return derivedID("image", photo, "") }

// derivedID is the id of what was taken from a photo.
func derivedID(kind string, photo [sha256.Size]byte, name string) face.ID {
	h := sha256.New()
	h.Write([]byte("spotter " + kind + "\x00"))
	h.Write(photo[:])
	h.Write([]byte(name))
	return face.HashedID(h.Sum(nil))
}
