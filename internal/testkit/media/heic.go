package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// HEIC is a photo as phones write it: a picture cut into tiles that are coded on their own.
type HEIC struct {
	Width, Height int  // of the picture, pixels
	Tile          int  // side of the tiles, pixels; 0: the picture is one
	Quarters      int  // counter-clockwise, that viewers turn it by
	Broadcast     bool // BT.709 of limited range, and not JPEG's colours
}

// Write codes a picture that ffmpeg reads.
func (h HEIC) Write(ctx context.Context, picture, path string) error {
	columns, rows, w, ht := 1, 1, h.Width, h.Height
	if h.Tile > 0 {
		w, ht = h.Tile, h.Tile
		columns, rows = (h.Width+w-1)/w, (h.Height+ht-1)/ht
	}
	folder, err := os.MkdirTemp("", "heic")
	if err != nil {
		return fmt.Errorf("make a folder of tiles: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	var tiles [][]byte
	for n := range columns * rows {
		name := filepath.Join(folder, fmt.Sprint(n, ".hevc"))
		filter := fmt.Sprintf("scale=%d:%d,pad=%d:%d,crop=%d:%d:%d:%d,setsar=1", h.Width, h.Height, columns*w, rows*ht, w, ht, n%columns*w, n/columns*ht)
		format, matrix, colours := "yuvj420p", "bt601:out_range=pc", "range=full:colormatrix=smpte170m"
		if h.Broadcast {
			format, matrix, colours = "yuv420p", "bt709:out_range=tv", "range=limited:colormatrix=bt709"
		}
		if err := FFmpeg(ctx, "-i", picture, "-vf", filter+",scale=out_color_matrix="+matrix, "-frames:v", "1", "-c:v", "libx265",
			"-x265-params", "log-level=none:keyint=1:info=0:"+colours, "-pix_fmt", format, "-crf", "8", name); err != nil {
			return err
		}
		content, err := os.ReadFile(name) //nolint:gosec // of our own making
		if err != nil {
			return fmt.Errorf("read a tile: %w", err)
		}
		tiles = append(tiles, content)
	}
	return os.WriteFile(path, h.File(tiles, columns, rows, w, ht), 0o600)
}

// File puts coded tiles together, row by row (ISO/IEC 23008-12; 14496-15 for what decoders must know).
func (h HEIC) File(tiles [][]byte, columns, rows, width, height int) []byte {
	const grid = 1000 // the whole's number; tiles count from 1
	var data, locations, infos, of []byte
	parts := make([]int, 0, len(tiles))
	config := slices.Concat([]byte{1}, make([]byte, 20), []byte{0xff, 3}) // lengths of four bytes, three lists
	head := box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	hidden := min(h.Tile, 1) // a tile is no picture of its own
	info := func(id, flags int, kind string) {
		infos = append(infos, full("infe", 2, flags, be16(id, 0), []byte(kind), []byte{0})...)
	}
	locate := func(id, offset, size int) {
		locations = append(locations, slices.Concat(be16(id, 0, 1), be32(offset, size))...)
	}
	for i, tile := range tiles {
		at := len(data)
		for _, unit := range bytes.Split(tile, []byte("\x00\x00\x01"))[1:] {
			unit = bytes.TrimRight(unit, "\x00")
			if kind := unit[0] >> 1 & 63; kind >= 32 && kind <= 34 { // parameter sets
				if i == 0 {
					config = append(config, slices.Concat([]byte{0x80 | kind}, be16(1, len(unit)), unit)...)
				}
				continue
			}
			data = append(append(data, be32(len(unit))...), unit...)
		}
		info(i+1, hidden, "hvc1")
		locate(i+1, at, len(data)-at)
		of = append(of, slices.Concat(be16(i+1), []byte{2, 1, 2})...)
		parts = append(parts, i+1)
	}
	primary, shared := 1, slices.Concat(box("hvcC", config), full("ispe", 0, 0, be32(width, height)))
	var references []byte
	count := len(tiles)
	if count > 1 || h.Tile > 0 {
		at := len(data)
		data = append(data, slices.Concat([]byte{0, 0, byte(rows - 1), byte(columns - 1)}, be16(h.Width, h.Height))...) //nolint:gosec // small
		info(grid, 0, "grid")
		locate(grid, at, len(data)-at)
		of = append(of, slices.Concat(be16(grid), []byte{2, 3, 4})...)
		references = full("iref", 0, 0, box("dimg", be16(grid, len(parts)), be16(parts...)))
		shared = append(shared, full("ispe", 0, 0, be32(h.Width, h.Height))...)
		primary, count = grid, count+1
	} else {
		of[2], of = 3, append(of, 3)
	}
	shared = append(shared, box("irot", []byte{byte(h.Quarters)})...) //nolint:gosec // small
	meta := func(shift int) []byte {
		moved := slices.Clone(locations)
		for i := 6; i < len(moved); i += 14 {
			binary.BigEndian.PutUint32(moved[i:], binary.BigEndian.Uint32(moved[i:])+uint32(shift)) //nolint:gosec // small
		}
		return full("meta", 0, 0,
			full("hdlr", 0, 0, make([]byte, 4), []byte("pict"), make([]byte, 13)), full("pitm", 0, 0, be16(primary)),
			full("iloc", 0, 0, []byte{0x44, 0}, be16(count), moved), full("iinf", 0, 0, be16(count), infos), references,
			box("iprp", box("ipco", shared), full("ipma", 0, 0, be32(count), of)))
	}
	description := meta(len(head) + len(meta(0)) + 8)
	return slices.Concat(head, description, box("mdat", data))
}

func box(kind string, content ...[]byte) []byte {
	body := slices.Concat(content...)
	return slices.Concat(be32(len(body)+8), []byte(kind), body)
}

func full(kind string, version, flags int, content ...[]byte) []byte {
	return box(kind, append([][]byte{be32(version<<24 | flags)}, content...)...)
}

func be16(list ...int) (out []byte) {
	for _, n := range list {
		out = binary.BigEndian.AppendUint16(out, uint16(n)) //nolint:gosec // small
	}
	return out
}

func be32(list ...int) (out []byte) {
	for _, n := range list {
		out = binary.BigEndian.AppendUint32(out, uint32(n)) //nolint:gosec // small
	}
	return out
}
