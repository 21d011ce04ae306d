package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/spotter-video/spotter/internal/archive"
	"github.com/spotter-video/spotter/internal/batch"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/testkit/media"
)

// stretch is how long a stretch of the film is: those of a made clip follow one another.
const stretch = 15 * time.Second

// What faces of made clips are: see [pattern.face].
const (
	known  = 4000 // tracklets of which about one is one of the film's people
	viewed = 0.45 // of two views of one face that is noise
)

// film indexes a film of the group photos, and gives what is kept of it.
func film(ctx context.Context, c config.Config, folder string) (*pattern, error) {
	photos := filepath.FromSlash(media.Folder)
	path, kept := filepath.Join(folder, "film.mp4"), filepath.Join(folder, "film.spotter")
	if err := media.Clip().Write(ctx, photos, path); err != nil {
		return nil, fmt.Errorf("make a film ('make setup' fetches what it is made of): %w", err)
	}
	if _, err := batch.Index(ctx, c, batch.Indexing{Videos: []string{path}, Archive: kept, Now: time.Now}); err != nil {
		return nil, err
	}
	a, err := archive.Read(ctx, kept)
	if err != nil {
		return nil, err
	}
	p, err := readPattern(ctx, a, path)
	return p, errors.Join(err, a.Close())
}

// pattern is what clips are made after.
type pattern struct {
	terms, plan []byte
	segments    []segment
	faces       [][]float32 // of all tracklets
}

// segment is what is kept of a segment, as far as it is changed.
type segment struct {
	version   byte
	pictures  []byte
	all       map[string]json.RawMessage
	tracklets []map[string]json.RawMessage
}

func readPattern(ctx context.Context, a *archive.Archive, path string) (*pattern, error) {
	f, err := a.File(ctx, path)
	if err != nil {
		return nil, err
	}
	list, err := a.Analyses(ctx, f.Video)
	if err != nil {
		return nil, err
	}
	p := &pattern{terms: list[0].Terms, plan: list[0].Plan}
	err = a.EachSegment(ctx, list[0].ID, true, func(_ int, data, pictures []byte) error {
		s := segment{version: data[0], pictures: bytes.Clone(pictures)}
		read := json.Unmarshal(data[1:], &s.all)
		if read == nil {
			read = json.Unmarshal(s.all["tracklets"], &s.tracklets)
		}
		for _, t := range s.tracklets {
			if v := floats(bytesOf(t["vector"])); len(v) > 0 {
				p.faces = append(p.faces, v)
			}
		}
		p.segments = append(p.segments, s)
		return read
	})
	if err == nil && len(p.faces) == 0 {
		err = errors.New("the film shows no faces")
	}
	return p, err
}

// maker makes an archive.
type maker struct {
	*settings
	pattern *pattern
	engine  *engine.Engine
	to      *archive.Archive
}

// run makes the clips, on all cores.
func (m *maker) run(ctx context.Context, tell func(done int)) error {
	per := 0 // tracklets of a segment of the pattern
	for _, s := range m.pattern.segments {
		per += len(s.tracklets)
	}
	segments := max(m.tracklets*len(m.pattern.segments)/max(m.clips*per, 1), 1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for n := range m.clips {
		group.Go(func() error {
			defer tell(n)
			return m.clip(ctx, n, segments)
		})
	}
	return group.Wait()
}

func (m *maker) clip(ctx context.Context, n, segments int) error {
	r := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // the same archive each time
	path := fmt.Sprintf("/archive/%03d/clip-%06d.mp4", n/100, n)
	f := &archive.File{Path: path, Size: int64(n), Changed: time.Unix(int64(n), 0)}
	if err := m.to.Put(ctx, f, sha256.Sum256([]byte(path))); err != nil {
		return err
	}
	list := []archive.Analysis{{Terms: m.pattern.terms, Plan: m.pattern.plan, Segments: segments}}
	if err := m.to.Begin(ctx, f.Video, list); err != nil {
		return err
	}
	made := make([][]byte, segments)
	for i := range made {
		from := &m.pattern.segments[r.IntN(len(m.pattern.segments))]
		var err error
		if made[i], err = m.pattern.segment(r, from, i); err != nil {
			return err
		}
		if err := m.to.SaveSegment(ctx, list[0].ID, i, made[i], from.pictures); err != nil {
			return err
		}
	}
	codes, _, err := m.engine.Codes(list[0].ID, &engine.Record{
		Terms: list[0].Terms, Plan: list[0].Plan, Each: func(_ bool, each func(int, []byte, []byte) error) error {
			for i, data := range made {
				if err := each(i, data, nil); err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	return m.to.Complete(ctx, list[0].ID, codes, "")
}

// segment is one of the pattern's with other faces, as the number-th of a clip.
func (p *pattern) segment(r *rand.Rand, from *segment, number int) ([]byte, error) {
	tracklets := make([]map[string]json.RawMessage, len(from.tracklets))
	for i, t := range from.tracklets {
		changed := maps.Clone(t)
		if t["vector"] != nil {
			changed["vector"] = text(floatBytes(p.face(r)))
		}
		changed["observations"] = text(shifted(bytesOf(t["observations"]), time.Duration(number)*stretch))
		tracklets[i] = changed
	}
	all := maps.Clone(from.all)
	list, err := json.Marshal(tracklets)
	if err != nil {
		return nil, err
	}
	all["tracklets"], all["stretch"] = list, fmt.Appendf(nil, "%d", number)
	data, err := json.Marshal(all)
	return append([]byte{from.version}, data...), err
}

// face is a stranger's, who is like nobody, or another view of one of the film's.
func (p *pattern) face(r *rand.Rand) []float32 {
	v := make([]float32, len(p.faces[0]))
	if r.IntN(known) > 0 {
		return unit(noise(r, v, 1))
	}
	for i, x := range p.faces[r.IntN(len(p.faces))] {
		v[i] = (1 - viewed) * x
	}
	return unit(noise(r, v, viewed))
}

// noise adds a random vector of about this length.
func noise(r *rand.Rand, v []float32, length float64) []float32 {
	for i := range v {
		v[i] += float32(length * r.NormFloat64() / math.Sqrt(float64(len(v))))
	}
	return v
}

func unit(v []float32) []float32 {
	if _, err := face.Normalize(v); err != nil {
		v[0] = 1
	}
	return v
}

// shifted is observations that are made later; each begins with its time in nanoseconds.
func shifted(observations []byte, by time.Duration) []byte {
	const size = 8 + 20*4
	out := append([]byte(nil), observations...)
	for at := 0; at+size <= len(out); at += size {
		binary.LittleEndian.PutUint64(out[at:], binary.LittleEndian.Uint64(out[at:])+uint64(by)) //nolint:gosec // not negative
	}
	return out
}

func bytesOf(value json.RawMessage) (b []byte) {
	_ = json.Unmarshal(value, &b) // what is missing is empty
	return b
}

func text(b []byte) json.RawMessage {
	return json.RawMessage(`"` + base64.StdEncoding.EncodeToString(b) + `"`)
}

func floats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func floatBytes(v []float32) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// sizeOf is a file's size; 0 where it is not there.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
