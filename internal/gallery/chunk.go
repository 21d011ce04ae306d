package gallery

import (
	"sync/atomic"
	"unsafe"

	"github.com/spotter-video/spotter/internal/face"
)

// chunk is memory for shape.faces faces. Its writer fills it block by block; readers know how many blocks they may see
// from their view. It is freed when the last view that holds it is.
type chunk struct {
	shape  shape  // a copy: a pointer into the gallery would keep that from being collected
	serial uint32 // ascending in the order of creation, from 1
	refs   atomic.Int64
	free   func()

	blocks []byte    // block by block, as the package comment says
	rows   []float32 // [face][dim]
	ids    []face.ID
}

func newChunk(s *shape, serial uint32) (*chunk, error) {
	memory, free, err := newArena(s.chunkBlockBytes() + s.chunkRowBytes())
	if err != nil {
		return nil, err
	}
	return &chunk{
		shape:  *s,
		serial: serial,
		free:   free,
		blocks: memory[:s.chunkBlockBytes()],
		rows:   floats(memory[s.chunkBlockBytes():]),
		ids:    make([]face.ID, s.faces),
	}, nil
}

func (c *chunk) retain() { c.refs.Add(1) }

func (c *chunk) release() {
	if c.refs.Add(-1) == 0 {
		c.discard()
	}
}

// discard frees a chunk that nobody can see. It forgets its slices first: a pointer to unmapped memory must not be
// left for the garbage collector to find, whose heap may grow there.
func (c *chunk) discard() {
	c.blocks, c.rows = nil, nil
	c.free()
}

// row is the vector of a face.
func (c *chunk) row(slot int) []float32 {
	d := c.shape.dim
	return c.rows[slot*d : (slot+1)*d : (slot+1)*d]
}

// block is one block's codes, scales and residuals.
func (c *chunk) block(n int) []byte {
	b := c.shape.blockBytes
	return c.blocks[n*b : (n+1)*b : (n+1)*b]
}

// residual is the length of a face's quantisation error.
func (c *chunk) residual(slot int) float32 {
	_, residuals := meta(c.block(slot / blockFaces))
	return residuals[slot%blockFaces]
}

// fill writes 16 faces into the block that starts at slot. codes is scratch for shape.padded codes.
func (c *chunk) fill(slot int, ids []face.ID, rows []float32, codes []int8) {
	dim := c.shape.dim
	copy(c.ids[slot:slot+blockFaces], ids)
	copy(c.rows[slot*dim:(slot+blockFaces)*dim], rows)
	block := c.block(slot / blockFaces)
	scales, residuals := meta(block)
	for f := range blockFaces {
		q := quantise(codes, rows[f*dim:(f+1)*dim])
		scales[f], residuals[f] = q.scale, q.residual
		for i := 0; i < len(codes); i += groupDims {
			to := block[i*blockFaces+f*groupDims:][:groupDims]
			for j := range to {
				to[j] = uint8(int16(codes[i+j]) + codeOffset) //nolint:gosec // within 1..255
			}
		}
	}
}

// meta is the scales and residuals of a block.
func meta(block []byte) (scales, residuals *[blockFaces]float32) {
	m := floats(block[len(block)-metaBytes:])
	return (*[blockFaces]float32)(m), (*[blockFaces]float32)(m[blockFaces:])
}

// floats is memory as float32 values. It starts at a multiple of 4 in an arena: all offsets in chunks are.
func floats(memory []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/4) //nolint:gosec // see above
}
