package gallery

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/spotter-video/spotter/internal/face"
)

// Gallery is enrolled faces in memory. Its methods are safe for concurrent use.
type Gallery struct {
	searcher
	current *handle
	queue   queue

	writing sync.Mutex // held by who changes the gallery; guards the fields below
	index   map[face.ID]location
	digest  face.Digest
	serial  uint32 // of the newest chunk
	scratch *scratch
}

// location says where a face is.
type location struct {
	serial uint32 // of the chunk; 0 is the tail
	slot   uint32 // of the chunk; without meaning for the tail, which is searched
}

// New makes an empty gallery for vectors of dim values, 1..4096, that keeps them in memory. It takes no memory for faces
// until there are some. Close it when it is no longer needed.
func New(dim int, opts ...Option) (*Gallery, error) {
	return makeGallery(dim, nil, opts)
}

// NewWithOriginals makes a gallery like [New] does, but one that does not keep the vectors it is given: it takes a fourth
// of the memory and asks for those that decide an answer. The answers are the same.
func NewWithOriginals(dim int, from Originals, opts ...Option) (*Gallery, error) {
	return makeGallery(dim, from, opts)
}

func makeGallery(dim int, from Originals, opts []Option) (*Gallery, error) {
	if dim < 1 || dim > maxDim {
		return nil, fmt.Errorf("new gallery: dimension %d is not within 1..%d", dim, maxDim)
	}
	g := &Gallery{
		searcher: searcher{
			shape:       newShape(dim),
			kernel:      kernels()[0],
			parallelism: runtime.GOMAXPROCS(0),
			originals:   from,
			joinBytes:   workerBytes * runtime.GOMAXPROCS(0),
		},
		current: &handle{v: newView(nil, part{})},
		index:   make(map[face.ID]location),
	}
	g.shape.keepsRows = from == nil
	for _, opt := range opts {
		if err := opt(&g.searcher); err != nil {
			return nil, fmt.Errorf("new gallery: %w", err)
		}
	}
	g.scratch = newScratch(&g.shape)
	// A gallery that is dropped without Close must not leak its mappings.
	runtime.AddCleanup(g, (*handle).close, g.current)
	return g, nil
}

// Dim is the number of values of a vector.
func (g *Gallery) Dim() int { return g.shape.dim }

// Kernel names the kernel in use, one of [Kernels].
func (g *Gallery) Kernel() string { return g.kernel.name }

// Len is the number of faces; 0 after Close.
func (g *Gallery) Len() int {
	n := g.current.len()
	runtime.KeepAlive(g)
	return n
}

// Has says whether a face is enrolled.
func (g *Gallery) Has(id face.ID) bool {
	g.writing.Lock()
	defer g.writing.Unlock()
	_, enrolled := g.index[id]
	return enrolled
}

// Digest is that of the faces as such, whoever's they are; 0 after Close.
func (g *Gallery) Digest() face.Digest {
	g.writing.Lock()
	defer g.writing.Unlock()
	return g.digest
}

// ScanBytes is how much memory a search reads at least: codes, scales and residuals of all faces in blocks.
func (g *Gallery) ScanBytes() int {
	defer runtime.KeepAlive(g)
	return g.current.scanBytes(&g.shape)
}

// Bytes is how much memory the faces take, about, in huge pages that are begun, and the index of their ids; 0 after Close.
func (g *Gallery) Bytes() (bytes int64) {
	v, err := g.current.acquire()
	runtime.KeepAlive(g)
	if err != nil {
		return 0
	}
	defer v.release()
	for i := range v.parts {
		bytes += int64(g.shape.usedBytes(v.parts[i].faces))
	}
	return bytes + int64(v.live)*indexBytes
}

// indexBytes is what a face takes in the index of ids, which doubles its room when it is full: 37 to 55 bytes.
const indexBytes = 55

// Search returns one list of hits per probe, in the probes' order, from the faces that are enrolled when it is called.
// Hits are ordered by score descending and then by id ascending. Errors: [ErrProbe], [ErrClosed], the context's, and
// those of [Originals] and [ErrOriginal] where vectors are not in memory.
//
// Searches of a large gallery that are made at the same time, for some probes each, are made together, of which each takes
// longer than alone and all together less. A context that ends while others wait for the same answer does not end it.
func (g *Gallery) Search(ctx context.Context, probes []face.Probe) ([][]face.Hit, error) {
	defer runtime.KeepAlive(g)
	return g.queue.join(ctx, g.current, &g.searcher, probes)
}

// Snapshot is the gallery as it is now. It shares the faces' memory with the gallery, so it costs next to nothing, but
// keeps alive what is deleted later: close it when it is no longer needed. The snapshot of a closed gallery is closed.
func (g *Gallery) Snapshot() *Snapshot {
	s := newSnapshot(g.searcher, g.current)
	runtime.KeepAlive(g)
	return s
}

// Close empties the gallery and gives its memory back: at once, or when the last search under way and the last
// snapshot let go of it. Afterwards Search and Add fail with [ErrClosed]. It may be called again; the error is nil.
func (g *Gallery) Close() error {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.current.close()
	g.index, g.digest = nil, 0
	return nil
}
