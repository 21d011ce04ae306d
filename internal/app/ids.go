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

// derivedID makes a UUID out of a hash. Version 8 is the one for ids of one's own making (RFC 9562, section 5.8).
func derivedID(kind string, photo [sha256.Size]byte, name string) face.ID {
	h := sha256.New()
	h.Write([]byte("spotter " + kind + "\x00"))
	h.Write(photo[:])
	h.Write([]byte(name))
	id := face.ID(h.Sum(nil)[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
