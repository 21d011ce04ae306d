package gallery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"unsafe"

	"github.com/spotter-video/spotter/internal/face"
)

// A file is what a snapshot holds, as it lies in memory, so that a gallery is filled with it about as fast as it can be read:
//
//	head      magic "spotgal" and the version, 1; uint32 values of a vector; uint32 1 in the order of the machine's bytes; uint32
//	          whether vectors follow; uint64 faces
//	runs      uint32 faces, at most 8,192; their ids; their blocks; their vectors, where they are kept. A run fills its blocks,
//	          but for the last one, which may be of one block that is not full
//	checksum  uint32, CRC-32C of all before it
//
// Numbers are little-endian but for what blocks hold, which is the machine's. Nothing is written of faces that were deleted.
const (
	fileMagic = "spotgal\x01"
	fileHead  = len(fileMagic) + 3*4 + 8
	runBlocks = 512
)

// ErrFile means that a file was not written whole by a gallery of this form, or has been changed since.
var ErrFile = errors.New("not a gallery's file, or a damaged one")

// Write writes the snapshot's faces in a form that [Gallery.Read] reads. Errors: [ErrClosed], and those of w.
func (s *Snapshot) Write(w io.Writer) error {
	v, err := s.fixed.acquire()
	if err != nil {
		return fmt.Errorf("write gallery: %w", err)
	}
	defer v.release()
	f := fileWriter{shape: &s.shape, w: w, odd: newTail(&s.shape)}
	f.head(v.live)
	for i := range v.parts {
		f.part(&v.parts[i])
	}
	f.loose(&v.tail, v.tail.living())
	f.flush()
	f.put(binary.LittleEndian.AppendUint32(nil, f.sum))
	if f.err != nil {
		return fmt.Errorf("write gallery: %w", f.err)
	}
	return nil
}

// fileWriter writes a file. Its first error ends it.
type fileWriter struct {
	shape *shape
	w     io.Writer
	sum   uint32
	err   error
	odd   *chunk // faces of blocks that are not whole
	held  int    // how many
}

func (f *fileWriter) put(b []byte) {
	if f.err != nil {
		return
	}
	f.sum = crc32.Update(f.sum, castagnoli, b)
	_, f.err = f.w.Write(b)
}

func (f *fileWriter) head(faces int) {
	b := []byte(fileMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(f.shape.dim)) //nolint:gosec // at most maxDim
	b = binary.NativeEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, f.shape.rows())
	f.put(binary.LittleEndian.AppendUint64(b, uint64(faces))) //nolint:gosec // not negative
}

// part writes the blocks of a part that are whole as they are.
func (f *fileWriter) part(p *part) {
	blocks := p.faces / blockFaces
	for n := 0; n < blocks; {
		if dead := p.dead.block(n); dead != 0 {
			living := make([]int, 0, blockFaces-bits.OnesCount16(dead))
			for i := range blockFaces {
				if dead&(1<<i) == 0 {
					living = append(living, n*blockFaces+i)
				}
			}
			f.loose(p, living)
			n++
			continue
		}
		end := n + 1
		for end < blocks && end-n < runBlocks && p.dead.block(end) == 0 {
			end++
		}
		f.run(p.chunk, n, end, (end-n)*blockFaces)
		n = end
	}
}

// loose puts single faces together to blocks.
func (f *fileWriter) loose(p *part, slots []int) {
	for _, slot := range slots {
		f.odd.move(f.held, p.chunk, slot)
		if f.held++; f.held == blockFaces {
			f.flush()
		}
	}
}

func (f *fileWriter) flush() {
	if f.held > 0 {
		f.run(f.odd, 0, 1, f.held)
		f.odd, f.held = newTail(f.shape), 0
	}
}

// run writes so many faces from the blocks from..end of a chunk.
func (f *fileWriter) run(c *chunk, from, end, faces int) {
	first := from * blockFaces
	f.put(binary.LittleEndian.AppendUint32(nil, uint32(faces))) //nolint:gosec // at most a run's
	f.put(bytesOf(c.ids[first : first+faces]))
	f.put(c.blocks[from*f.shape.blockBytes : end*f.shape.blockBytes])
	if f.shape.keepsRows {
		f.put(bytesOf(c.rows[first*f.shape.dim : (first+faces)*f.shape.dim]))
	}
}

// Read fills an empty gallery with what [Snapshot.Write] has written of one of the same form; on an error it stays empty. r has size bytes
// at most: no memory is taken for more faces than they can be. Errors: [ErrFile], [ErrClosed], those of r, and the system's when it has no
// memory left.
func (g *Gallery) Read(r io.Reader, size int64) error {
	g.writing.Lock()
	defer g.writing.Unlock()
	now, err := g.current.acquire()
	if err != nil {
		return fmt.Errorf("read gallery: %w", err)
	}
	defer now.release()
	if now.live > 0 || len(now.parts) > 0 {
		return errors.New("read gallery: it has faces already")
	}
	f := fileReader{draft: newDraft(g, now), r: r, size: size}
	if err := f.all(); err != nil {
		for i := range f.parts {
			f.parts[i].discard()
		}
		g.index, g.digest = make(map[face.ID]location), 0
		return fmt.Errorf("read gallery: %w", err)
	}
	g.current.replace(f.view())
	return nil
}

// fileReader reads a file into a draft.
type fileReader struct {
	*draft
	r    io.Reader
	size int64 // that r has at most
	sum  uint32
}

// get fills b. A file that is too short is damaged.
func (f *fileReader) get(b []byte) error {
	if _, err := io.ReadFull(f.r, b); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends early", ErrFile)
	} else if err != nil {
		return err
	}
	f.sum = crc32.Update(f.sum, castagnoli, b)
	return nil
}

func (f *fileReader) number() (uint32, error) {
	var b [4]byte
	err := f.get(b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}

func (f *fileReader) all() error {
	left, err := f.head()
	if err != nil {
		return err
	}
	f.g.index = make(map[face.ID]location, left)
	ids := make([]face.ID, runBlocks*blockFaces)
	for left > 0 {
		n, err := f.number()
		switch faces := uint64(n); {
		case err != nil:
			return err
		case faces == 0 || faces > min(left, uint64(len(ids))) || faces%blockFaces != 0 && (faces > blockFaces || faces < left):
			return fmt.Errorf("%w: a run of %d faces", ErrFile, faces)
		}
		left -= uint64(n)
		if err := f.run(ids[:n]); err != nil {
			return err
		}
	}
	want := f.sum
	if got, err := f.number(); err != nil || got != want {
		return errors.Join(err, fmt.Errorf("%w: its checksum differs", ErrFile))
	}
	if got := len(f.g.index); got != f.faces() {
		return fmt.Errorf("%w: %d faces have %d ids", ErrFile, f.faces(), got)
	}
	return nil
}

// faces is how many have been read.
func (f *fileReader) faces() int {
	n := f.waiting
	for i := range f.parts {
		n += f.parts[i].live
	}
	return n
}

func (f *fileReader) head() (faces uint64, err error) {
	var b [fileHead]byte
	if err := f.get(b[:]); err != nil {
		return 0, err
	}
	s, rest := &f.g.shape, b[len(fileMagic):]
	if string(b[:len(fileMagic)]) != fileMagic || binary.LittleEndian.Uint32(rest) != uint32(s.dim) || //nolint:gosec // at most maxDim
		binary.NativeEndian.Uint32(rest[4:]) != 1 || binary.LittleEndian.Uint32(rest[8:]) != s.rows() {
		return 0, fmt.Errorf("%w: it is of another form", ErrFile)
	}
	if faces = binary.LittleEndian.Uint64(rest[12:]); faces > uint64(max(f.size, 0))/s.leastBytes() {
		return 0, fmt.Errorf("%w: %d bytes cannot be %d faces", ErrFile, f.size, faces)
	}
	return faces, nil
}

// run reads some faces, whose ids there is room for.
func (f *fileReader) run(ids []face.ID) error {
	if err := f.get(bytesOf(ids)); err != nil {
		return err
	}
	if len(ids) < blockFaces {
		copy(f.tail.ids, ids)
		f.waiting = len(ids)
		for _, id := range ids {
			f.index(id, location{})
		}
		if err := f.get(f.tail.blocks); err != nil {
			return err
		}
		return f.vectors(f.tail, 0, len(ids))
	}
	// Blocks of a run may lie in two chunks, and vectors come after all of them.
	type piece struct{ part, first, faces int }
	var pieces []piece
	for len(ids) > 0 {
		open, err := f.reserve(blockFaces)
		if err != nil {
			return err
		}
		p := &f.parts[open]
		n := min(f.g.shape.faces-p.faces, len(ids))
		pieces = append(pieces, piece{open, p.faces, n})
		if err := f.blocks(p, ids[:n]); err != nil {
			return err
		}
		ids = ids[n:]
	}
	for _, x := range pieces {
		if err := f.vectors(f.parts[x.part].chunk, x.first, x.faces); err != nil {
			return err
		}
	}
	return nil
}

// blocks reads the blocks of faces into a part that has room for them.
func (f *fileReader) blocks(p *part, ids []face.ID) error {
	s := &f.g.shape
	at := p.faces / blockFaces * s.blockBytes
	if err := f.get(p.blocks[at : at+len(ids)/blockFaces*s.blockBytes]); err != nil {
		return err
	}
	copy(p.ids[p.faces:], ids)
	for i, id := range ids {
		f.index(id, location{serial: p.serial, slot: uint32(p.faces + i)}) //nolint:gosec // below shape.faces
	}
	p.faces += len(ids)
	p.live += len(ids)
	return nil
}

func (f *fileReader) index(id face.ID, at location) {
	f.g.index[id] = at
	f.g.digest = f.g.digest.Face(id)
}

func (f *fileReader) vectors(c *chunk, first, faces int) error {
	if !f.g.shape.keepsRows {
		return nil
	}
	dim := f.g.shape.dim
	return f.get(bytesOf(c.rows[first*dim : (first+faces)*dim]))
}

// rows is 1 where vectors are kept.
func (s *shape) rows() uint32 {
	if s.keepsRows {
		return 1
	}
	return 0
}

// leastBytes is what a face takes in a file at least: its part of a whole block, and its id.
func (s *shape) leastBytes() uint64 {
	return uint64(s.blockBytes/blockFaces + len(face.ID{})) //nolint:gosec // positive
}

// bytesOf is ids or vectors as the bytes that they are.
func bytesOf[T face.ID | float32](list []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), len(list)*int(unsafe.Sizeof(one))) //nolint:gosec // of its own length
}

// block is the deleted faces of one block, a bit for each.
func (b bitset) block(n int) uint16 {
	if b == nil {
		return 0
	}
	return uint16(b[n/4] >> (n % 4 * blockFaces)) //nolint:gosec // the sixteen that are wanted
}
