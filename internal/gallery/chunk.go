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
	ids    []face.ID // in the order of the slots
	rows   []float32 // [face][dim]; nil where originals are elsewhere
}

func newChunk(s *shape, serial uint32) (*chunk, error) {
	memory, free, err := newArena(s.chunkBytes())
	if err != nil {
		return nil, err
	}
	return newChunkIn(memory, free, s, serial), nil
}

// newTail makes a chunk of one block in the heap.
func newTail(s *shape) *chunk {
	small := *s
	small.faces = blockFaces
	return newChunkIn(make([]byte, small.chunkBytes()), func() {}, &small, 0)
}

func newChunkIn(memory []byte, free func(), s *shape, serial uint32) *chunk {
	c := &chunk{shape: *s, serial: serial, free: free}
	c.blocks, memory = memory[:s.chunkBlockBytes()], memory[s.chunkBlockBytes():]
	c.ids, memory = identities(memory[:s.chunkIDBytes()]), memory[s.chunkIDBytes():]
	if s.keepsRows {
		c.rows = floats(memory)
	}
	return c
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
	c.blocks, c.ids, c.rows = nil, nil, nil
	c.free()
}

// row is the vector of a face.
func (c *chunk) row(slot int) []float32 { return cells(c.rows, slot, c.shape.dim) }

// block is one block's codes, scales and residuals.
func (c *chunk) block(n int) []byte { return cells(c.blocks, n, c.shape.blockBytes) }

// cells is the n-th run of so many elements.
func cells[T any](all []T, n, size int) []T { return all[n*size : (n+1)*size : (n+1)*size] }

// residual is the length of a face's quantisation error.
func (c *chunk) residual(slot int) float32 {
	_, residuals := meta(c.block(slot / blockFaces))
	return residuals[slot%blockFaces]
}

// inner is the inner product of a vector and a face's quantised form.
func (c *chunk) inner(vector []float32, slot int) float64 {
	block, f := c.block(slot/blockFaces), slot%blockFaces
	scales, _ := meta(block)
	codes := block[f*groupDims:]
	var sums [groupDims]float64 // in turn, so that no addition waits for the one before it
	for len(vector) >= groupDims {
		x, c := (*[groupDims]float32)(vector), (*[groupDims]byte)(codes)
		sums[0] += float64(x[0]) * float64(int(c[0])-codeOffset)
		sums[1] += float64(x[1]) * float64(int(c[1])-codeOffset)
		sums[2] += float64(x[2]) * float64(int(c[2])-codeOffset)
		sums[3] += float64(x[3]) * float64(int(c[3])-codeOffset)
		vector, codes = vector[groupDims:], codes[blockFaces*groupDims:]
	}
	for i, x := range vector {
		sums[i] += float64(x) * float64(int(codes[i])-codeOffset)
	}
	return float64(scales[f]) * (sums[0] + sums[1] + sums[2] + sums[3])
}

// encode quantises a vector and writes the face into a slot.
func (c *chunk) encode(slot int, id face.ID, vector []float32, scratch *scratch) {
	q := quantise(scratch.codes, vector)
	store(scratch.bytes, scratch.codes)
	c.put(slot, &parsed{id: id, scale: q.scale, residual: q.residual, codes: scratch.bytes})
	if c.rows != nil {
		copy(c.row(slot), vector)
	}
}

// put writes a face, but for its vector, into a slot. Missing codes are those of zeros.
func (c *chunk) put(slot int, p *parsed) {
	block, f := c.block(slot/blockFaces), slot%blockFaces
	scales, residuals := meta(block)
	c.ids[slot], scales[f], residuals[f] = p.id, p.scale, p.residual
	at := block[f*groupDims:]
	whole := len(p.codes) / groupDims
	for g := range whole {
		*(*[groupDims]byte)(at[g*blockFaces*groupDims:]) = [groupDims]byte(p.codes[g*groupDims:])
	}
	for g := whole; g < c.shape.groups; g++ {
		rest := [groupDims]byte{codeOffset, codeOffset, codeOffset, codeOffset}
		copy(rest[:], p.codes[min(g*groupDims, len(p.codes)):])
		*(*[groupDims]byte)(at[g*blockFaces*groupDims:]) = rest
	}
}

// move copies a face from a slot of another chunk.
func (c *chunk) move(slot int, from *chunk, at int) {
	block, f := c.block(slot/blockFaces), slot%blockFaces
	source, s := from.block(at/blockFaces), at%blockFaces
	for g := range c.shape.groups {
		n := g * blockFaces * groupDims
		*(*[groupDims]byte)(block[n+f*groupDims:]) = [groupDims]byte(source[n+s*groupDims:])
	}
	scales, residuals := meta(block)
	sourceScales, sourceResiduals := meta(source)
	scales[f], residuals[f] = sourceScales[s], sourceResiduals[s]
	c.ids[slot] = from.ids[at]
	if c.rows != nil {
		copy(c.row(slot), from.row(at))
	}
}

// append copies the one block of a tail behind so many faces.
func (c *chunk) append(faces int, tail *chunk) {
	copy(c.block(faces/blockFaces), tail.blocks)
	copy(c.ids[faces:], tail.ids)
	if c.rows != nil {
		copy(c.rows[faces*c.shape.dim:], tail.rows)
	}
}

// scratch is room for the codes of one face.
type scratch struct {
	codes []int8
	bytes []byte
}

func newScratch(s *shape) *scratch {
	return &scratch{codes: make([]int8, s.padded), bytes: make([]byte, s.padded)}
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

// identities is memory as ids, which are bytes.
func identities(memory []byte) []face.ID {
	return unsafe.Slice((*face.ID)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/len(face.ID{})) //nolint:gosec // see above
}
