package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
	"github.com/spotter-video/spotter/internal/search"
)

// Crowd is everybody who is seen in many videos: their tracklets as a gallery, in which enrolled people are looked up. It tells in
// which records somebody may be found; [Engine.Recall] then tells who is, and when. Close it. Safe for concurrent use once it is
// filled.
//
// A tracklet takes some 0.6 KB of memory with 512 values, as in [gallery.Gallery], and 16 bytes for what strangers score against it.
type Crowd struct {
	gallery     *gallery.Gallery
	calibration *face.Calibration
	dim         int
	space       []byte
	impostors   map[int64][]face.Impostors // of the tracklets of each record
}

// NewCrowd makes an empty one.
func (e *Engine) NewCrowd() (*Crowd, error) {
	g, err := gallery.NewWithOriginals(e.pack.Dim(), noOriginals{})
	if err != nil {
		return nil, err
	}
	return &Crowd{gallery: g, calibration: e.pack.Calibration(), dim: e.pack.Dim(), space: e.space(), impostors: map[int64][]face.Impostors{}}, nil
}

// Close frees the memory.
func (c *Crowd) Close() error { return c.gallery.Close() }

// Len is how many tracklets there are, Bytes how much memory they take, about.
func (c *Crowd) Len() int { return c.gallery.Len() }

// Bytes is how much memory the tracklets take, about.
func (c *Crowd) Bytes() int64 {
	const impostors = 16 // bytes
	return c.gallery.Bytes() + int64(c.gallery.Len())*impostors
}

// noOriginals are those of a gallery that is asked for bounds only.
type noOriginals struct{}

// Originals has none.
func (noOriginals) Originals(context.Context, []face.ID, func(face.ID, []float32) error) error {
	return errors.New("tracklets have no originals here")
}

// The tracklets of a record as they are kept for a [Crowd]:
//
//	version   1 byte: 1
//	checksum  uint32, CRC-32C of all that follows
//	space     8 bytes of a SHA-256: which models and pipeline made the embeddings
//	each tracklet that has an embedding: mean and deviation of its impostors' scores (float64), its code ([gallery.Code])
//
// Numbers are little-endian. A tracklet's id is the record's number and its own, eight bytes each, the highest first.
const (
	crowdVersion  = 1
	crowdSpace    = 5
	crowdHead     = crowdSpace + 8
	impostorBytes = 16
)

// Codes is a record's part of a [Crowd], under the record's number there, 1 and up. Beside it are sentences about what is odd with the
// video, such as damage.
func (e *Engine) Codes(number int64, r *Record) (codes []byte, odd []string, err error) {
	by, plan, segments, err := e.read(r, false)
	if err != nil {
		return nil, nil, err
	}
	damage := plan.Damage
	stretches := make([]*search.Tracklets, len(segments))
	for i, s := range segments {
		damage.Add(s.Damage)
		stretches[i] = &s.Tracklets
	}
	list, err := search.Whole(stretches, e.pack.Cohort(), by.params)
	if err != nil {
		return nil, nil, err
	}
	codes, err = e.encodeCrowd(number, list)
	return codes, slices.Concat(plan.Warnings, damage.Warnings()), err
}

// encodeCrowd is the tracklets of a record as they are kept.
func (e *Engine) encodeCrowd(number int64, list []search.Tracklet) ([]byte, error) {
	var tracklets []byte
	n := uint64(0)
	for i := range list {
		v := list[i].Embedding.Vector
		if v == nil {
			continue
		}
		code := gallery.Code(crowdID(number, n), v)
		if code == nil {
			return nil, fmt.Errorf("the embedding of tracklet %d is no unit vector", i)
		}
		impostors := e.pack.Cohort().Impostors(v)
		tracklets = binary.LittleEndian.AppendUint64(tracklets, math.Float64bits(impostors.Mean))
		tracklets = binary.LittleEndian.AppendUint64(tracklets, math.Float64bits(impostors.Deviation))
		tracklets = append(tracklets, code...)
		n++
	}
	kept := slices.Concat(append([]byte{crowdVersion}, make([]byte, crowdSpace-1)...), e.space(), tracklets)
	binary.LittleEndian.PutUint32(kept[1:], crowdSum(kept))
	return kept, nil
}

// space tells embeddings that can be compared from others.
func (p *pipeline) space() []byte {
	r := p.termsBy(nil)
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q", r.Revision, r.Model, r.Pack))
	return sum[:crowdHead-crowdSpace]
}

func crowdSum(codes []byte) uint32 {
	return crc32.Checksum(codes[crowdSpace:], crc32.MakeTable(crc32.Castagnoli))
}

func crowdID(number int64, n uint64) (id face.ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(number)) //nolint:gosec // not negative
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

// place is whose tracklet an id is, and which.
func place(id face.ID) (number int64, n uint64) {
	return int64(binary.BigEndian.Uint64(id[:8])), binary.BigEndian.Uint64(id[8:]) //nolint:gosec // as it was put in
}

// ErrOtherModels means that what is kept was made by other models or another revision of the pipeline: nothing here can be compared with
// it.
var ErrOtherModels = errors.New("it was analysed with other models: index it again")

// errCodes says that codes cannot be used. They are made again from their record.
var errCodes = errors.New("its tracklets are kept in another form, or damaged")

// Add puts the tracklets of a record in. It is called by one goroutine at a time, and once for each record. Where they cannot be used, as
// codes of another form cannot and those of [ErrOtherModels], the record is left out.
func (c *Crowd) Add(number int64, codes []byte) error {
	size := impostorBytes + gallery.CodeSize(c.dim)
	if len(codes) < crowdHead || codes[0] != crowdVersion || (len(codes)-crowdHead)%size != 0 ||
		binary.LittleEndian.Uint32(codes[1:]) != crowdSum(codes) {
		return errCodes
	}
	if string(codes[crowdSpace:crowdHead]) != string(c.space) {
		return ErrOtherModels
	}
	n := (len(codes) - crowdHead) / size
	impostors, bare := make([]face.Impostors, n), make([]byte, 0, n*(size-impostorBytes))
	for i := range n {
		one := codes[crowdHead+i*size:][:size]
		impostors[i] = face.Impostors{
			Mean:      math.Float64frombits(binary.LittleEndian.Uint64(one)),
			Deviation: math.Float64frombits(binary.LittleEndian.Uint64(one[8:])),
		}
		if id := crowdID(number, uint64(i)); !(impostors[i].Deviation > 0) || string(one[impostorBytes:][:len(id)]) != string(id[:]) {
			return errCodes
		}
		bare = append(bare, one[impostorBytes:]...)
	}
	if passed, err := c.gallery.AddCodes(bare); err != nil || passed > 0 {
		return cmp.Or(err, errCodes)
	}
	c.impostors[number] = impostors
	return nil
}

// Candidate is a record in which somebody may be found.
type Candidate struct {
	Number int64
	// AtMost is a similarity that nobody's reaches beyond in it.
	AtMost face.Similarity
}

// Candidates are the records in which some of the people may be found at their threshold, those where somebody may be most alike
// first. None is missing; in some nobody will be found. A match that is inherited needs one that a tracklet has by itself, so that
// these are enough.
func (c *Crowd) Candidates(ctx context.Context, who *People) ([]Candidate, error) {
	floor := c.floor(who.Threshold)
	var probes []face.Probe
	for v := range slices.Chunk(who.vectors, c.dim) {
		probes = append(probes, face.Probe{Vector: v, MinScore: floor, Limit: 1})
	}
	found, err := c.gallery.Within(ctx, probes)
	if err != nil {
		return nil, err
	}
	best := map[int64]face.Similarity{}
	for _, list := range found {
		for _, b := range list {
			number, n := place(b.ID)
			s := c.calibration.Similarity(b.Upper, c.impostors[number][n])
			if s >= who.Threshold && s >= best[number] {
				best[number] = s
			}
		}
	}
	out := make([]Candidate, 0, len(best))
	for number, s := range best {
		out = append(out, Candidate{number, s})
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.AtMost, a.AtMost), cmp.Compare(a.Number, b.Number))
	})
	return out, nil
}

// floor is a score that no tracklet is below where its similarity is s.
func (c *Crowd) floor(s face.Similarity) face.Score {
	if s <= 0 {
		return -1
	}
	const slack = 1e-5 // as in [face.Calibration.Threshold]
	least, lowest := c.calibration.Least(s), face.Score(1)
	for _, list := range c.impostors {
		for _, i := range list {
			lowest = min(lowest, i.Score(least))
		}
	}
	return lowest - slack
}
