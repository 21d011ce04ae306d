package photo

import (
	"encoding/binary"
	"errors"
	"slices"
)

// A HEIC file holds items (ISO/IEC 23008-12): pictures coded as one HEVC frame each, and pictures put together of others, as
// most phones' photos are. Here is only found out what lies where; the frames are decoded by somebody else.

var errHEIF = errors.New("its items cannot be made out")

// Bounds of a file that is believed. A photo of 70 million pixels in tiles of 512 has 280.
const (
	maxItems = 4096
	maxTiles = 1024
)

// heif is what is known of a file's items.
type heif struct {
	data       []byte // the whole file
	idat       []byte // the data within the description
	primary    uint32
	kinds      map[uint32]string
	extents    map[uint32][]extent
	parts      map[uint32][]uint32 // what an item is put together of
	properties []property          // which items share
	of         map[uint32][]int    // indices of an item's properties, in their order
}

type extent struct {
	inside         bool // in the description's data and not in the file
	offset, length uint64
}

type property struct {
	kind    string
	content []byte
}

// readHEIF makes out the items of a file.
func readHEIF(data []byte) (*heif, error) {
	h := &heif{
		data: data, kinds: map[uint32]string{}, extents: map[uint32][]extent{}, parts: map[uint32][]uint32{},
		of: map[uint32][]int{},
	}
	found := false
	err := boxes(data, func(kind string, content *cursor) error {
		if kind != "meta" || found {
			return nil
		}
		found = true
		content.fullBox()
		return boxes(content.data, h.describe)
	})
	if err == nil && (!found || h.kinds[h.primary] == "") {
		err = errHEIF
	}
	return h, err
}

// describe reads one box of the description.
func (h *heif) describe(kind string, c *cursor) error {
	switch kind {
	case "pitm":
		version, _ := c.fullBox()
		h.primary = c.id(version > 0)
	case "iinf":
		if version, _ := c.fullBox(); version > 0 {
			c.uint(4)
		} else {
			c.uint(2)
		}
		return boxes(c.data, h.item)
	case "iloc":
		h.places(c)
	case "iref":
		version, _ := c.fullBox()
		return boxes(c.data, func(kind string, c *cursor) error { return h.refer(kind, c, version > 0) })
	case "iprp":
		return boxes(c.data, h.describe)
	case "ipco":
		return boxes(c.data, func(kind string, c *cursor) error {
			if h.properties = append(h.properties, property{kind, c.data}); len(h.properties) > maxItems {
				return errHEIF
			}
			return nil
		})
	case "ipma":
		h.associate(c)
	case "idat":
		h.idat = c.data
	}
	return c.err()
}

func (h *heif) item(kind string, c *cursor) error {
	if kind != "infe" {
		return nil
	}
	version, _ := c.fullBox()
	if version < 2 {
		return nil // of a kind that is no picture
	}
	id := c.id(version > 2)
	c.uint(2) // protection
	if h.kinds[id] = string(c.bytes(4)); len(h.kinds) > maxItems {
		return errHEIF
	}
	return c.err()
}

func (h *heif) places(c *cursor) {
	version, _ := c.fullBox()
	sizes := c.uint(2)
	offset, length, base, index := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15), int(sizes&15)
	if version == 0 {
		index = 0
	}
	count := c.uint(2)
	if version > 1 {
		count = count<<16 | c.uint(2)
	}
	for range min(count, maxItems) {
		id := c.id(version > 1)
		method := uint64(0)
		if version > 0 {
			method = c.uint(2) & 15
		}
		c.uint(2) // in which file: this one
		from := c.uint(base)
		for n := c.uint(2); n > 0 && !c.short; n-- {
			c.uint(index)
			e := extent{inside: method == 1, offset: from + c.uint(offset), length: c.uint(length)}
			if h.extents[id] = append(h.extents[id], e); len(h.extents[id]) > maxItems || method > 1 {
				c.short = true
			}
		}
	}
}

func (h *heif) refer(kind string, c *cursor, wide bool) error {
	from := c.id(wide)
	for n := c.uint(2); n > 0 && !c.short && kind == "dimg"; n-- {
		if h.parts[from] = append(h.parts[from], c.id(wide)); len(h.parts[from]) > maxTiles {
			return errHEIF
		}
	}
	return c.err()
}

func (h *heif) associate(c *cursor) {
	version, flags := c.fullBox()
	for n := c.uint(4); n > 0 && !c.short; n-- {
		id := c.id(version > 0)
		for k := c.uint(1); k > 0 && !c.short; k-- {
			index := c.uint(1) & 0x7f // the bit above says that the property matters
			if flags&1 != 0 {
				index = index<<8 | c.uint(1)
			}
			if index > 0 && len(h.of[id]) < maxTiles {
				h.of[id] = append(h.of[id], int(index)-1)
			}
		}
	}
}

// has is an item's property of a kind, to be read; nil if it has none.
func (h *heif) has(id uint32, kind string) *cursor {
	for _, i := range h.of[id] {
		if i < len(h.properties) && h.properties[i].kind == kind {
			return &cursor{data: h.properties[i].content}
		}
	}
	return nil
}

// content is what is stored of an item.
func (h *heif) content(id uint32) ([]byte, error) {
	var out [][]byte
	for _, e := range h.extents[id] {
		from := h.data
		if e.inside {
			from = h.idat
		}
		size := uint64(len(from))
		if e.offset > size || e.length > size-e.offset {
			return nil, errCut
		}
		if e.length == 0 {
			e.length = size - e.offset
		}
		out = append(out, from[e.offset:e.offset+e.length])
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return slices.Concat(out...), nil
}

// bytes is how long the content of items is, all together.
func (h *heif) bytes(items []uint32) (n int64) {
	for _, id := range items {
		for _, e := range h.extents[id] {
			n += int64(min(e.length, uint64(len(h.data)))) //nolint:gosec // G115: of a file's length
		}
	}
	return n
}

var errCut = errors.New("it is cut off before its end")

// boxes visits each box of a list (ISO/IEC 14496-12, 4.2). A last one that is cut off is visited as far as it goes.
func boxes(data []byte, visit func(kind string, content *cursor) error) error {
	for len(data) >= 8 {
		size, head := uint64(binary.BigEndian.Uint32(data)), 8
		kind := string(data[4:8])
		switch {
		case size == 0:
			size = uint64(len(data))
		case size == 1 && len(data) >= 16:
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < uint64(head) {
			return errHEIF
		}
		size = min(size, uint64(len(data)))
		if err := visit(kind, &cursor{data: data[head:size]}); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

// cursor reads numbers one after another; short says that there were too few bytes.
type cursor struct {
	data  []byte
	short bool
}

func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.data) {
		c.short, c.data = true, nil
		return nil
	}
	out := c.data[:n]
	c.data = c.data[n:]
	return out
}

// uint is a number of n bytes, the first counting most.
func (c *cursor) uint(n int) (v uint64) {
	for _, b := range c.bytes(n) {
		v = v<<8 | uint64(b)
	}
	return v
}

// id is an item's number, of 4 bytes where it is wide and else of 2.
func (c *cursor) id(wide bool) uint32 {
	n := 2
	if wide {
		n = 4
	}
	return uint32(c.uint(n)) //nolint:gosec // of few bytes
}

// fullBox reads a box's version and flags.
func (c *cursor) fullBox() (version byte, flags uint32) {
	v := c.uint(4)
	return byte(v >> 24), uint32(v & 0xffffff) //nolint:gosec // of few bytes
}

func (c *cursor) err() error {
	if c.short {
		return errHEIF
	}
	return nil
}
