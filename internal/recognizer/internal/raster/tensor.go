package raster

import "github.com/spotter-video/spotter/internal/face"

// Normal says how a model wants its pixels: value = (pixel - Mean) * Scale, the channels in the order red, green, blue
// or the reverse.
type Normal struct {
	Mean, Scale float32
	BGR         bool
}

// headroom is how far a sum of YUV terms may lie below 0 before clamping: at most 291 for any table, and as much above
// 255.
const headroom = 384

// Filler writes pictures into tensors of one kind. Not safe for concurrent use.
type Filler struct {
	normal Normal
	// value is the tensor's value of a pixel value that may still lie outside 0..255, at index pixel + headroom.
	value  [headroom + 256 + headroom]float32
	tables tables
}

// NewFiller makes a Filler for models that want their pixels so.
func NewFiller(n Normal) *Filler {
	f := &Filler{normal: n, tables: tables{}}
	for i := range f.value {
		pixel := min(max(i-headroom, 0), 255)
		f.value[i] = (float32(pixel) - n.Mean) * n.Scale
	}
	return f
}

// Fill writes the picture into the top left corner of a 3 x height x width tensor and grey, the model's zero, beside
// it. The picture must pass Check and not be larger than the tensor.
func (f *Filler) Fill(tensor []float32, width, height int, p *face.Picture) {
	area := width * height
	red, green, blue := tensor[:area], tensor[area:2*area], tensor[2*area:3*area]
	if f.normal.BGR {
		red, blue = blue, red
	}
	pad := f.value[headroom+int(min(max(f.normal.Mean, 0), 255))]
	for y := range height {
		from, to := y*width, (y+1)*width
		r, g, b := red[from:to], green[from:to], blue[from:to]
		edge := 0
		if y < p.Height {
			edge = p.Width
			if p.Layout == face.I420 {
				f.yuvRow(r[:edge], g[:edge], b[:edge], p, y)
			} else {
				f.rgbRow(r[:edge], g[:edge], b[:edge], p.Planes[0][y*p.Strides[0]:])
			}
		}
		for x := edge; x < width; x++ {
			r[x], g[x], b[x] = pad, pad, pad
		}
	}
}

// Crop writes an aligned crop into a 3 x CropSide x CropSide tensor; mirrored swaps left and right.
func (f *Filler) Crop(tensor []float32, crop *face.Crop, mirrored bool) {
	const area = face.CropSide * face.CropSide
	red, green, blue := tensor[:area], tensor[area:2*area], tensor[2*area:3*area]
	if f.normal.BGR {
		red, blue = blue, red
	}
	values := f.value[headroom : headroom+256]
	for y := range face.CropSide {
		from := y * face.CropSide
		r, g, b := red[from:from+face.CropSide], green[from:from+face.CropSide], blue[from:from+face.CropSide]
		row := crop[3*from : 3*(from+face.CropSide)]
		for x := range face.CropSide {
			to := x
			if mirrored {
				to = face.CropSide - 1 - x
			}
			r[to], g[to], b[to] = values[row[3*x]], values[row[3*x+1]], values[row[3*x+2]]
		}
	}
}

// Grey writes grey pixels into a tensor of one channel.
func (f *Filler) Grey(tensor []float32, pixels []byte) {
	values := f.value[headroom : headroom+256]
	tensor = tensor[:len(pixels)]
	for i, v := range pixels {
		tensor[i] = values[v]
	}
}

func (f *Filler) rgbRow(r, g, b []float32, row []byte) {
	values := f.value[headroom : headroom+256]
	row, g, b = row[:3*len(r)], g[:len(r)], b[:len(r)]
	for x := range r {
		r[x], g[x], b[x] = values[row[3*x]], values[row[3*x+1]], values[row[3*x+2]]
	}
}

// yuvRow is where a detector's input spends its time: two pixels share one chroma sample and its three terms.
func (f *Filler) yuvRow(r, g, b []float32, p *face.Picture, y int) {
	t := f.tables.of(p)
	width := len(r)
	g, b = g[:width], b[:width]
	luma := p.Planes[0][y*p.Strides[0]:][:width]
	us := p.Planes[1][y/2*p.Strides[1]:][:(width+1)/2]
	vs := p.Planes[2][y/2*p.Strides[2]:][:len(us)]
	const zero = headroom << 16
	for c, u := range us {
		v := vs[c]
		red, green, blue := t.redV[v]+zero, t.greenU[u]+t.greenV[v]+zero, t.blueU[u]+zero
		x := 2 * c
		l := t.luma[luma[x]]
		r[x], g[x], b[x] = f.value[(l+red)>>16], f.value[(l+green)>>16], f.value[(l+blue)>>16]
		if x++; x < width {
			l = t.luma[luma[x]]
			r[x], g[x], b[x] = f.value[(l+red)>>16], f.value[(l+green)>>16], f.value[(l+blue)>>16]
		}
	}
}
