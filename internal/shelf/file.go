package shelf

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/spotter-video/spotter/internal/face"
)

// A file is a collection as it was at one number:
//
//	head      magic "spotshl" and the version, 2; uint64 serial of the collection; uint64 number; uint64 digest, and uint64 changes
//	          that are not in it; 16 bytes mark
//	faces     as [Snapshot.Write] writes them; then the same for users
//	owners    for each user: uint16 length of their name, and the name; uint32 faces, and their ids. A name of no length ends it
//	checksum  uint32, CRC-32C of head and owners; galleries have their own
//
// Numbers are little-endian.
const (
	fileMagic = "spotshl\x02"
	fileHead  = len(fileMagic) + 4*8 + len(Mark{})
	// mostOwned bounds the faces of one user that are read: above any limit of the service.
	mostOwned = 1 << 20
	// fileBuffer is how much is read and written at once.
	fileBuffer = 1 << 20
)

// errFile is that a file is of no use: none of a collection of this form, damaged, out of date or not to be read.
var errFile = errors.New("the file cannot be used")

// Mark tells a file from all others. The store is told of it before the file gets its name, so that a store that has been put
// back to what it was before knows no file that is ahead of it.
type Mark [16]byte

// head is what a file begins with.
type head struct {
	serial, number int64
	digest         Digest
	mark           Mark
}

func (h *head) bytes() []byte {
	b := []byte(fileMagic)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.serial)) //nolint:gosec // and back
	b = binary.LittleEndian.AppendUint64(b, uint64(h.number)) //nolint:gosec // and back
	b = binary.LittleEndian.AppendUint64(b, uint64(h.digest.Faces))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.digest.Without)) //nolint:gosec // and back
	return append(b, h.mark[:]...)
}

func parseHead(b []byte) (h head, err error) {
	if len(b) != fileHead || !bytes.HasPrefix(b, []byte(fileMagic)) {
		return h, fmt.Errorf("%w: it is of another form", errFile)
	}
	b = b[len(fileMagic):]
	h.serial = int64(binary.LittleEndian.Uint64(b))     //nolint:gosec // as it was
	h.number = int64(binary.LittleEndian.Uint64(b[8:])) //nolint:gosec // as it was
	h.digest.Faces = face.Digest(binary.LittleEndian.Uint64(b[16:]))
	h.digest.Without = int64(binary.LittleEndian.Uint64(b[24:])) //nolint:gosec // as it was
	copy(h.mark[:], b[32:])
	return h, nil
}

// headOf reads a file's head only.
func headOf(path string) (head, error) {
	f, err := os.Open(path) //nolint:gosec // in the folder of files
	if err != nil {
		return head{}, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	b := make([]byte, fileHead)
	if _, err := io.ReadFull(f, b); err != nil {
		return head{}, fmt.Errorf("%w: %w", errFile, err)
	}
	return parseHead(b)
}

// writeFile writes a state, which the caller holds, and gives the file's mark. It ends when ctx does.
func writeFile(ctx context.Context, to io.Writer, serial int64, x *state) (Mark, error) {
	h := head{serial: serial, number: x.number, digest: x.digest}
	if _, err := rand.Read(h.mark[:]); err != nil {
		return Mark{}, err
	}
	w := bufio.NewWriterSize(whileWriting{ctx, to}, fileBuffer)
	sum := summing{to: w}
	sum.put(h.bytes())
	if sum.err != nil {
		return Mark{}, sum.err
	}
	for _, g := range []Snapshot{x.faces, x.users} {
		if err := g.Write(w); err != nil {
			return Mark{}, err
		}
	}
	x.owners.write(&sum)
	sum.put(binary.LittleEndian.AppendUint32(nil, sum.sum))
	return h.mark, errors.Join(sum.err, w.Flush())
}

// fileReader reads a file, first its head and then the rest.
type fileReader struct {
	head
	buffered *bufio.Reader
	summed   summing
}

func openFile(ctx context.Context, from io.Reader, serial int64) (*fileReader, error) {
	f := &fileReader{buffered: bufio.NewReaderSize(whileReading{ctx, from}, fileBuffer)}
	f.summed.from = f.buffered
	b := f.summed.get(fileHead)
	if f.summed.err != nil {
		return nil, f.summed.err
	}
	var err error
	if f.head, err = parseHead(b); err == nil && f.serial != serial {
		err = fmt.Errorf("%w: it is of collection %d", errFile, f.serial)
	}
	return f, err
}

// fill fills an empty draft from a file of so many bytes.
func (f *fileReader) fill(d *draft, size int64) error {
	for _, g := range []Gallery{d.faces, d.users} {
		if err := g.Read(f.buffered, size); err != nil {
			return fmt.Errorf("%w: %w", errFile, err)
		}
	}
	if err := d.readOwners(&f.summed); err != nil {
		return err
	}
	want := f.summed.sum
	if got := f.summed.uint32(); f.summed.err != nil || got != want {
		return errors.Join(f.summed.err, fmt.Errorf("%w: its checksum differs", errFile))
	}
	d.number, d.digest = f.number, f.digest
	return nil
}

// write writes whose faces are.
func (o *owners) write(to *summing) {
	var user string
	var ids []byte
	end := func() {
		if len(ids) > 0 {
			to.put(binary.LittleEndian.AppendUint16(nil, uint16(len(user)))) //nolint:gosec // the service's names are short
			to.put([]byte(user))
			to.put(binary.LittleEndian.AppendUint32(nil, uint32(len(ids)/len(face.ID{})))) //nolint:gosec // at most mostOwned
			to.put(ids)
		}
		ids = ids[:0]
	}
	o.users.Ascend(func(f owned) bool {
		if f.user != user {
			end()
			user = f.user
		}
		ids = append(ids, f.face[:]...)
		return to.err == nil
	})
	end()
	to.put([]byte{0, 0})
}

// readOwners reads whose faces are, which must be in the draft's galleries.
func (d *draft) readOwners(from *summing) error {
	for {
		name := string(from.get(from.uint16()))
		if from.err != nil || name == "" {
			break
		}
		n := from.uint32()
		if n == 0 || n > mostOwned {
			return errors.Join(from.err, fmt.Errorf("%w: a user of %d faces", errFile, n))
		}
		for ; n > 0 && from.err == nil; n-- {
			var id face.ID
			copy(id[:], from.get(len(id)))
			if from.err == nil && (!d.faces.Has(id) || d.owners.set(id, name) != "") {
				return fmt.Errorf("%w: a user's face", errFile)
			}
		}
		if key := keyOf(name); d.users.Has(key) {
			d.owners.people.ReplaceOrInsert(person{key, name})
		}
	}
	if from.err == nil && d.owners.people.Len() != d.users.Len() {
		return fmt.Errorf("%w: %d users, and %d are known", errFile, d.users.Len(), d.owners.people.Len())
	}
	return from.err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) //nolint:gochecknoglobals // a table that never changes

// summing reads or writes small pieces and keeps their checksum. Its first error ends it.
type summing struct {
	to   io.Writer
	from io.Reader
	sum  uint32
	err  error
	buf  []byte
}

func (s *summing) put(b []byte) {
	if s.err != nil {
		return
	}
	s.sum = crc32.Update(s.sum, castagnoli, b)
	_, s.err = s.to.Write(b)
}

// get gives the next n bytes, valid until the next call: zeros after an error. A file that is too short is damaged.
func (s *summing) get(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:n]
	if s.err == nil {
		if _, s.err = io.ReadFull(s.from, b); errors.Is(s.err, io.EOF) || errors.Is(s.err, io.ErrUnexpectedEOF) {
			s.err = errors.New("it ends early")
		}
		if s.err != nil {
			s.err = fmt.Errorf("%w: %w", errFile, s.err)
		}
	}
	if s.err != nil {
		clear(b)
		return b
	}
	s.sum = crc32.Update(s.sum, castagnoli, b)
	return b
}

func (s *summing) uint16() int    { return int(binary.LittleEndian.Uint16(s.get(2))) }
func (s *summing) uint32() uint32 { return binary.LittleEndian.Uint32(s.get(4)) }

// whileWriting and whileReading end when ctx does.
type whileWriting struct {
	ctx context.Context //nolint:containedctx // io.Writer knows none
	w   io.Writer
}

func (c whileWriting) Write(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.w.Write(b)
}

type whileReading struct {
	ctx context.Context //nolint:containedctx // io.Reader knows none
	r   io.Reader
}

func (c whileReading) Read(b []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(b)
}
