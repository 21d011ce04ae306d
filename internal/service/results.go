package service

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Results lie in the store as chunks of a fixed number of entries, so that a page costs the same wherever it stands: each
// order of the sightings on its own, as records of fixed length, and the lists of matches, which the sightings of a
// tracklet share, as JSON with what was known of the faces when they matched.
const (
	sightingsPerChunk = 256 // 24 KB; a page of 1,000 reads five of them
	listsPerChunk     = 32  // some 60 KB with ten matches each
)

// chunkVersion is the form of the chunks, and their first byte. Chunks of before have no such byte: theirs is the attempt 0.
const chunkVersion = 1

// saveAtOnce is how many bytes of chunks are saved in one transaction: so few that nobody waits for long.
const saveAtOnce = 1 << 20

// chunkWriter saves the chunks of one attempt to end a job.
type chunkWriter struct {
	store   Store
	job     JobID
	attempt int64
	waiting []Chunk
	size    int
}

// add takes a chunk.
func (w *chunkWriter) add(ctx context.Context, kind ChunkKind, number int, data []byte) error {
	w.waiting = append(w.waiting, Chunk{Kind: kind, Number: number, Data: append([]byte{chunkVersion}, data...)})
	if w.size += len(data); w.size < saveAtOnce {
		return nil
	}
	return w.flush(ctx)
}

// flush saves what has been taken.
func (w *chunkWriter) flush(ctx context.Context) error {
	if len(w.waiting) == 0 {
		return nil
	}
	err := w.store.SaveChunks(ctx, w.job, w.attempt, w.waiting)
	w.waiting, w.size = nil, 0
	return err
}

// chunks reads pieces of a job's results. [Elsewhere] for those of a form that is newer than this program.
func (s *Service) chunks(ctx context.Context, j *Job, kind ChunkKind, from, to int) ([]Chunk, error) {
	list, err := s.ports.Store.Chunks(ctx, j.ID, kind, from, to)
	if err != nil || j.Results == nil || j.Results.Attempt == 0 {
		return list, err
	}
	for i := range list {
		c := &list[i]
		switch {
		case len(c.Data) == 0 || c.Data[0] == 0:
			return nil, fmt.Errorf("results of job %s are damaged", j.ID)
		case c.Data[0] > chunkVersion:
			return nil, Errorf(Elsewhere, "A newer Spotter has saved the results of the job: run that one, or a still newer one.")
		}
		c.Data = c.Data[1:]
	}
	return list, nil
}

// record is a sighting in a chunk, little-endian, without padding.
type record struct {
	Time   int64  // nanoseconds
	Person uint32 // from 0
	List   uint32 // number of the match list plus 1; 0 for none

	Box        [4]float32 // left, top, width, height
	Landmarks  [10]float32
	Confidence float32
	Pose       [3]float32 // roll, yaw, pitch
	Quality    [2]float32 // brightness, sharpness
}

const recordSize = 8 + 4 + 4 + 20*4

func newRecord(s *face.Sighting, list uint32) record {
	d := &s.Detection
	r := record{
		Time: int64(s.Time), Person: uint32(s.Person), List: list, //nolint:gosec // persons are counted from 0
		Box:        [4]float32{d.Box.Left, d.Box.Top, d.Box.Width, d.Box.Height},
		Confidence: d.Confidence,
		Pose:       [3]float32{d.Pose.Roll, d.Pose.Yaw, d.Pose.Pitch},
		Quality:    [2]float32{d.Quality.Brightness, d.Quality.Sharpness},
	}
	for i, p := range d.Landmarks {
		r.Landmarks[2*i], r.Landmarks[2*i+1] = p.X, p.Y
	}
	return r
}

func (r *record) sighting() face.Sighting {
	s := face.Sighting{Time: time.Duration(r.Time), Person: int(r.Person)}
	d := &s.Detection
	d.Box = face.Box{Left: r.Box[0], Top: r.Box[1], Width: r.Box[2], Height: r.Box[3]}
	d.Confidence = r.Confidence
	d.Pose = face.Pose{Roll: r.Pose[0], Yaw: r.Pose[1], Pitch: r.Pose[2]}
	d.Quality = face.Quality{Brightness: r.Quality[0], Sharpness: r.Quality[1]}
	for i := range d.Landmarks {
		d.Landmarks[i] = face.Point{X: r.Landmarks[2*i], Y: r.Landmarks[2*i+1]}
	}
	return s
}

// saveResults keeps what was found, a piece at a time: nobody sees it before the job has ended.
func (s *Service) saveResults(ctx context.Context, j *Job, c *Collection, found *Found, attempt int64) (*Results, error) {
	if attempt <= 0 {
		return nil, fmt.Errorf("results of job %s are of the attempt %d, which there is not", j.ID, attempt)
	}
	w := &chunkWriter{store: s.ports.Store, job: j.ID, attempt: attempt}
	lists, listOf := matchLists(found.Sightings)
	if err := s.saveLists(ctx, w, c, lists); err != nil {
		return nil, err
	}
	if err := saveSightings(ctx, w, SightingsByTime, found.Sightings, listOf); err != nil {
		return nil, err
	}
	if j.Attributes {
		if err := saveAttributes(ctx, w, found.Sightings); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found.Sightings, byPerson)
	if err := saveSightings(ctx, w, SightingsByPerson, found.Sightings, listOf); err != nil {
		return nil, err
	}
	r := &Results{Sightings: len(found.Sightings), Persons: found.Persons, Lists: len(lists), Attempt: attempt}
	return r, w.flush(ctx)
}

// byPerson orders sightings person by person, each from the first to the last: clients make intervals of one person out of
// neighbours. That is how Rekognition answers (a real answer of GetFaceSearch shows it), beside what it documents.
func byPerson(a, b face.Sighting) int {
	return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Time, b.Time))
}

// matchLists numbers the different lists of matches in the order in which they come. Sightings of one tracklet share their
// list, so that the address of its first element tells lists apart.
func matchLists(sightings []face.Sighting) (lists [][]face.Match, listOf func(*face.Sighting) uint32) {
	number := map[*face.Match]uint32{}
	for i := range sightings {
		if m := sightings[i].Matches; len(m) > 0 && number[&m[0]] == 0 {
			lists = append(lists, m)
			number[&m[0]] = uint32(len(lists)) //nolint:gosec // far fewer
		}
	}
	return lists, func(s *face.Sighting) uint32 {
		if len(s.Matches) == 0 {
			return 0
		}
		return number[&s.Matches[0]]
	}
}

func (s *Service) saveLists(ctx context.Context, w *chunkWriter, c *Collection, lists [][]face.Match) error {
	known, err := s.matchedFaces(ctx, c, lists)
	if err != nil {
		return err
	}
	number := 0
	for part := range slices.Chunk(lists, listsPerChunk) {
		hits := make([][]FaceHit, len(part))
		for i, list := range part {
			for _, m := range list {
				f, there := known[m.ID]
				if !there { // deleted while the video was matched: nothing is kept of it
					continue
				}
				hit := FaceHit{Face: f, Similarity: m.Similarity}
				if m.Own < m.Similarity {
					hit.Own = m.Own
				}
				hits[i] = append(hits[i], hit)
			}
		}
		data, err := json.Marshal(hits)
		if err != nil {
			return fmt.Errorf("encode match lists: %w", err)
		}
		if err := w.add(ctx, MatchLists, number, data); err != nil {
			return err
		}
		number++
	}
	return nil
}

func (s *Service) matchedFaces(ctx context.Context, c *Collection, lists [][]face.Match) (map[face.ID]Face, error) {
	var ids []face.ID
	for _, list := range lists {
		for _, m := range list {
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return s.facesByID(ctx, c, unique(ids))
}

func saveSightings(
	ctx context.Context, w *chunkWriter, kind ChunkKind, sightings []face.Sighting, listOf func(*face.Sighting) uint32,
) error {
	number := 0
	for part := range slices.Chunk(sightings, sightingsPerChunk) {
		data := make([]byte, 0, len(part)*recordSize)
		for i := range part {
			var err error
			if data, err = binary.Append(data, binary.LittleEndian, newRecord(&part[i], listOf(&part[i]))); err != nil {
				return fmt.Errorf("encode sightings: %w", err)
			}
		}
		if err := w.add(ctx, kind, number, data); err != nil {
			return err
		}
		number++
	}
	return nil
}

// attributesRecord is [face.Attributes] in a chunk, as JSON; null where nothing is known.
type attributesRecord struct {
	*face.Attributes

	// Further are the further landmarks, x and y of one after another.
	Further []float32 `json:",omitempty"`
}

func attributesRecordOf(a *face.Attributes) *attributesRecord {
	if a == nil {
		return nil
	}
	r := &attributesRecord{Attributes: a}
	if a.Further != nil {
		for _, p := range a.Further {
			r.Further = append(r.Further, rounded(p.X), rounded(p.Y))
		}
	}
	return r
}

// rounded has as many digits as a picture has use for, which is a third of those that a float32 has: 1/25 pixel of 4K.
func rounded(x float32) float32 { return float32(math.Round(float64(x)*1e5) / 1e5) }

func (r *attributesRecord) attributes() *face.Attributes {
	if r == nil {
		return nil
	}
	a := r.Attributes
	if a == nil {
		a = &face.Attributes{}
	}
	if further := new(face.FurtherLandmarks); len(r.Further) == 2*len(further) {
		for i := range further {
			further[i] = face.Point{X: r.Further[2*i], Y: r.Further[2*i+1]}
		}
		a.Further = further
	}
	return a
}

func saveAttributes(ctx context.Context, w *chunkWriter, sightings []face.Sighting) error {
	number := 0
	for part := range slices.Chunk(sightings, sightingsPerChunk) {
		list := make([]*attributesRecord, len(part))
		for i := range part {
			list[i] = attributesRecordOf(part[i].Attributes)
		}
		data, err := json.Marshal(list)
		if err != nil {
			return fmt.Errorf("encode attributes: %w", err)
		}
		if err := w.add(ctx, AttributesByTime, number, data); err != nil {
			return err
		}
		number++
	}
	return nil
}

// mostResults is the most sightings of a page, and how many it has where nothing is said: Rekognition's.
const mostResults = 1000

// Results is a job and one page of what it has found. A page that asks for more than there may be on one gets as many as
// may be. [NotFound] for a job that is not there, is of another operation, or has expired; [BadPage].
func (s *Service) Results(ctx context.Context, r ResultRequest) (*ResultPage, error) {
	j, err := s.Job(ctx, r.Job)
	if err != nil {
		return nil, err
	}
	if j.Operation != r.Operation {
		return nil, errNoJob()
	}
	listing := fmt.Sprintf("results %d of %s", r.Order, j.ID)
	position, err := s.pages.position(listing, r.Page.Token, 8)
	if err != nil {
		return nil, err
	}
	out := &ResultPage{Job: j}
	if j.State != Succeeded || j.Results == nil {
		return out, nil
	}
	from := 0
	if position != nil {
		from = int(binary.BigEndian.Uint64(position)) //nolint:gosec // sealed by this package
	}
	to := min(from+r.Page.size(mostResults, mostResults), j.Results.Sightings)
	if out.Sightings, err = s.sightings(ctx, j, r.Order, from, to); err != nil || to >= j.Results.Sightings {
		return out, err
	}
	out.Next, err = s.pages.serialToken(listing, Serial(to))
	return out, err
}

// Job is a job whose results have not expired. [NotFound].
func (s *Service) Job(ctx context.Context, id JobID) (*Job, error) {
	j, err := s.ports.Store.Job(ctx, id)
	if KindOf(err) == NotFound || err == nil && !j.Expires.IsZero() && !s.ports.Now().Before(j.Expires) {
		return nil, errNoJob()
	}
	return j, err
}

func errNoJob() error { return Errorf(NotFound, "Could not find JobId") }

// sightings reads those from number from up to and without to.
func (s *Service) sightings(ctx context.Context, j *Job, o Order, from, to int) ([]JobSighting, error) {
	if from >= to {
		return nil, nil
	}
	kind := SightingsByTime
	if o == ByPerson {
		kind = SightingsByPerson
	}
	first := from / sightingsPerChunk
	chunks, err := s.chunks(ctx, j, kind, first, (to-1)/sightingsPerChunk+1)
	if err != nil {
		return nil, err
	}
	var data []byte
	for _, c := range chunks {
		data = append(data, c.Data...)
	}
	offset := first * sightingsPerChunk
	if len(data) < (to-offset)*recordSize {
		return nil, fmt.Errorf("results of job %s are incomplete", j.ID)
	}
	records := make([]record, to-from)
	if err = binary.Read(bytes.NewReader(data[(from-offset)*recordSize:]), binary.LittleEndian, records); err != nil {
		return nil, fmt.Errorf("results of job %s: %w", j.ID, err)
	}
	out, err := s.withHits(ctx, j, records)
	if err == nil && j.Attributes && o == ByTime {
		err = s.addAttributes(ctx, j, out, from)
	}
	return out, err
}

// addAttributes looks up what faces looked like, for sightings in the order of time of which the first has this number.
func (s *Service) addAttributes(ctx context.Context, j *Job, sightings []JobSighting, from int) error {
	first, last := from/sightingsPerChunk, (from+len(sightings)-1)/sightingsPerChunk
	chunks, err := s.chunks(ctx, j, AttributesByTime, first, last+1)
	if err != nil {
		return err
	}
	var all []*attributesRecord
	for _, c := range chunks {
		var list []*attributesRecord
		if err := json.Unmarshal(c.Data, &list); err != nil {
			return fmt.Errorf("attributes of job %s: %w", j.ID, err)
		}
		all = append(all, list...)
	}
	if all = all[min(from-first*sightingsPerChunk, len(all)):]; len(all) < len(sightings) {
		return fmt.Errorf("results of job %s are incomplete", j.ID)
	}
	for i := range sightings {
		sightings[i].Attributes = all[i].attributes()
	}
	return nil
}

// withHits looks up the match lists of sightings.
func (s *Service) withHits(ctx context.Context, j *Job, records []record) ([]JobSighting, error) {
	lists, err := s.lists(ctx, j, records)
	if err != nil {
		return nil, err
	}
	out := make([]JobSighting, len(records))
	for i := range records {
		out[i].Sighting = records[i].sighting()
		out[i].Hits = lists[records[i].List]
	}
	return out, nil
}

// lists reads the match lists that sightings need, by number from 1.
func (s *Service) lists(ctx context.Context, j *Job, records []record) (map[uint32][]FaceHit, error) {
	need := map[int][]uint32{} // by chunk
	lists := map[uint32][]FaceHit{}
	for i := range records {
		n := records[i].List
		if _, there := lists[n]; n > 0 && !there {
			lists[n] = nil
			at := int(n-1) / listsPerChunk
			need[at] = append(need[at], n)
		}
	}
	for at, numbers := range need {
		chunks, err := s.chunks(ctx, j, MatchLists, at, at+1)
		if err != nil {
			return nil, err
		}
		if len(chunks) != 1 {
			return nil, fmt.Errorf("results of job %s are incomplete", j.ID)
		}
		if err := chunks[0].lists(numbers, lists); err != nil {
			return nil, fmt.Errorf("match lists of job %s: %w", j.ID, err)
		}
	}
	return lists, nil
}

// lists reads some of a chunk's match lists. Its others, most of them where a page goes person by person, stay encoded.
func (c *Chunk) lists(numbers []uint32, into map[uint32][]FaceHit) error {
	var encoded []json.RawMessage
	if err := json.Unmarshal(c.Data, &encoded); err != nil {
		return err
	}
	for _, n := range numbers {
		at := int(n-1) % listsPerChunk
		if at >= len(encoded) {
			return fmt.Errorf("list %d is missing", n)
		}
		var hits []FaceHit
		if err := json.Unmarshal(encoded[at], &hits); err != nil {
			return err
		}
		into[n] = hits
	}
	return nil
}
