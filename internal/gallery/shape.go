package gallery

import "github.com/spotter-video/spotter/internal/face"

const (
	// blockFaces is how many faces a block interleaves: the 32-bit sums of one 512-bit register.
	blockFaces = 16
	// groupDims is how many neighbouring dimensions of a face lie together: what one 32-bit sum takes in at a time.
	groupDims = 4
	// padDims is what dimensions are padded to a multiple of: kernels take four groups a step.
	padDims = 4 * groupDims
	// metaBytes are a block's scales and residuals.
	metaBytes = 2 * 4 * blockFaces

	// maxDim bounds the int32 sums of a kernel: 4096 x 255 x 127 < 2^27.
	maxDim = 4096

	// chunkMemory and chunkFaces bound one chunk without its vectors: it fills whole huge pages, of which a part would be
	// wasted. Larger chunks waste more of the last one; smaller ones make views longer, and a view is copied by every
	// change (20 million faces of 512 dimensions: 1,279 chunks, 40 KB).
	chunkMemory = 8 << 20
	chunkFaces  = 16384
)

// shape says how large the pieces of a gallery are.
type shape struct {
	dim        int  // values of a vector
	padded     int  // dim rounded up to padDims
	groups     int  // padded / groupDims
	blockBytes int  // codes, scales and residuals of one block
	faces      int  // capacity of a chunk, a multiple of blockFaces
	keepsRows  bool // vectors are in memory
}

func newShape(dim int) shape {
	padded := (dim + padDims - 1) / padDims * padDims
	block := blockFaces*padded + metaBytes
	return shape{
		dim:        dim,
		padded:     padded,
		groups:     padded / groupDims,
		blockBytes: block,
		faces:      min(chunkFaces/blockFaces, chunkMemory/(block+blockFaces*len(face.ID{}))) * blockFaces,
		keepsRows:  true,
	}
}

// chunkBytes is the space that a chunk takes: that of its blocks, of its ids, and of its vectors where they are kept.
func (s *shape) chunkBytes() int {
	size := s.chunkBlockBytes() + s.chunkIDBytes()
	if s.keepsRows {
		size += s.faces * s.dim * 4
	}
	return size
}

// usedBytes is the memory that a chunk of so many faces has taken from the system, where that gives huge pages.
func (s *shape) usedBytes(faces int) int {
	const page = 2 << 20 // of amd64, and of arm64 with 4 KiB pages
	pages := func(bytes int) int { return (bytes + page - 1) / page * page }
	used := pages(faces/blockFaces*s.blockBytes) + pages(faces*len(face.ID{}))
	if s.keepsRows {
		used += pages(faces * s.dim * 4)
	}
	return min(used, s.chunkBytes())
}

func (s *shape) chunkBlockBytes() int { return s.faces / blockFaces * s.blockBytes }
func (s *shape) chunkIDBytes() int    { return s.faces * len(face.ID{}) }
