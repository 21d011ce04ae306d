package face

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
)

// ModelID names the model pack that made an embedding. Embeddings of different packs cannot be compared.
type ModelID string

// Embedding is a face as a unit vector in the space of one model.
type Embedding struct {
	Model  ModelID
	Vector []float32
}

// Sample is one embedded crop of a face.
type Sample struct {
	Embedding Embedding
	// Norm is the length of the model's raw output before normalisation. It falls with resolution and blur, so it
	// weighs samples against each other (LFW: mean 3.7, 1st percentile 2.7, for the default pack).
	Norm float32
}

// Score is the cosine of two embeddings, -1..1. It is not a [Similarity].
type Score float32

// Similarity is a calibrated percentage, 0..100: what the API calls Similarity and compares thresholds with.
type Similarity float32

// ID identifies an enrolled face: a UUID. IDs order as their bytes do.
type ID [16]byte

// String is the id as a UUID in lower case.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// HashedID is an id made of a hash of at least 16 bytes: the same for the same hash. Version 8 is the one for UUIDs of one's
// own making (RFC 9562, section 5.8).
func HashedID(hash []byte) ID {
	id := ID(hash[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}

// MarshalText writes what [ID.String] does.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what [ParseID] does.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseID(string(text))
	return err
}

// ParseID reads a UUID in the form that [ID.String] writes; hex digits may be upper case.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, fmt.Errorf("face id %q is not a UUID", s)
	}
	digits := s[0:8] + s[9:13] + s[14:18] + s[19:23] + s[24:36]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return ID{}, fmt.Errorf("face id %q is not a UUID: %w", s, err)
	}
	return id, nil
}

// Probe is what is searched for in a gallery.
type Probe struct {
	// Vector is the unit vector; its length is the gallery's dimension.
	Vector []float32
	// MinScore is the lowest score that counts as a hit, inclusive.
	MinScore Score
	// Limit is the most hits wanted, 1..4096.
	Limit int
}

// Hit is one enrolled face that a probe found.
type Hit struct {
	ID    ID
	Score Score
}

// Match is an enrolled face with its similarity to a probe. The probes of a video are its tracklets.
type Match struct {
	ID ID
	// Similarity is the one that counts: the greater of the two below.
	Similarity Similarity
	// Own is what the tracklet itself has; Inherited what it has through another tracklet of the same person, and 0 where
	// that says nothing more.
	Own, Inherited Similarity
}

// Enrolled is what a gallery's owner knows of an enrolled face.
type Enrolled struct {
	ID ID
	// ImageID identifies the photo that the face was taken from.
	ImageID ID
	// ExternalID is the owner's own name for the face: PERSON.PHOTO for a folder of people.
	ExternalID string
	Detection  Detection
}

// Sighting is one face at one analysed time, with the matches of the tracklet that it belongs to.
type Sighting struct {
	Time time.Duration
	// Person numbers the persons of this video from 0, in order of their first sighting.
	Person    int
	Detection Detection
	// Matches are sorted by similarity, highest first, ties by id. Shared between the sightings of a tracklet:
	// read-only.
	Matches []Match
	// Attributes are what the face looked like then; nil unless they were asked for.
	Attributes *Attributes
}

// Normalize scales v to unit length in place and returns its former length. A vector without a direction (zero, or
// not finite) is an error and is left as it is.
func Normalize(v []float32) (norm float32, err error) {
	n := math.Sqrt(Dot(v, v))
	if n == 0 || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, errors.New("vector has no direction")
	}
	inv := 1 / n
	for i := range v {
		v[i] = float32(float64(v[i]) * inv)
	}
	return float32(n), nil
}

// Plus adds v to a sum, which it gives back; nil is the sum of nothing.
func Plus(sum, v []float32) []float32 {
	if sum == nil {
		sum = make([]float32, len(v))
	}
	for i, x := range v {
		sum[i] += x
	}
	return sum
}

// Dot is the inner product of two vectors of one length, summed in float64 from the first element to the last.
func Dot(a, b []float32) float64 {
	var s float64
	b = b[:len(a)]
	for i, x := range a {
		s += float64(x) * float64(b[i])
	}
	return s
}

// Dot32 is an inner product like [Dot] in four float32 sums, none of which waits for the addition before it: for where the last bits do not
// matter and millions are computed, in a fourth of the time. The order of summation is fixed and nothing is fused, so the result is the
// same everywhere.
func Dot32(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 4 {
		x, y := (*[4]float32)(a), (*[4]float32)(b)
		s0 += float32(x[0] * y[0])
		s1 += float32(x[1] * y[1])
		s2 += float32(x[2] * y[2])
		s3 += float32(x[3] * y[3])
		a, b = a[4:], b[4:]
	}
	for i, x := range a {
		s0 += float32(x * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}
