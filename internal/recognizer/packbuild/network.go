package packbuild

import (
	"errors"

	"github.com/spotter-video/spotter/internal/recognizer/internal/onnxgraph"
)

// network builds an ONNX graph layer by layer out of TensorFlow.js weights. Layers are named by their output; the first
// error stays, and the layers after it mean nothing.
type network struct {
	model   *onnxgraph.Model
	weights *weights
	err     error
}

// The networks' input, and the side in pixels that it is fed with.
const (
	networkInput = "input"
	networkSide  = 112
)

func newNetwork(name string, w *weights) *network {
	n := &network{model: onnxgraph.NewModel(name), weights: w}
	side := onnxgraph.Dim{Size: networkSide}
	n.model.Graph.Inputs = []*onnxgraph.Port{
		onnxgraph.FloatPort(networkInput, onnxgraph.Dim{Size: 1}, onnxgraph.Dim{Size: 3}, side, side),
	}
	return n
}

// bytes is the network as a file with these outputs, each of size numbers.
func (n *network) bytes(outputs []string, sizes []int) ([]byte, error) {
	if err := errors.Join(n.err, n.weights.rest()); err != nil {
		return nil, err
	}
	for i, name := range outputs {
		n.model.Graph.Outputs = append(n.model.Graph.Outputs,
			onnxgraph.FloatPort(name, onnxgraph.Dim{Size: 1}, onnxgraph.Dim{Size: int64(sizes[i])}))
	}
	return n.model.Bytes(), nil
}

func (n *network) node(op, output string, inputs []string, attributes ...*onnxgraph.Attribute) string {
	n.model.Graph.Nodes = append(n.model.Graph.Nodes, onnxgraph.NewNode(op, output, inputs, attributes...))
	return output
}

func (n *network) constant(name string, values []float32, dims ...int64) string {
	n.model.Graph.Initializers = append(n.model.Graph.Initializers, onnxgraph.FloatTensor(name, dims, values))
	return name
}

// take is a weight of the network; zeros after an error.
func (n *network) take(name string, dims ...int) []float32 {
	values, err := n.weights.take(name, dims...)
	if err == nil {
		return values
	}
	if n.err == nil {
		n.err = err
	}
	size := 1
	for _, d := range dims {
		size *= d
	}
	return make([]float32, size)
}

// normalize takes each channel's mean from the pixels, 0..255, and divides by 255. It cannot be folded into the first
// convolution, as that pads with zeros after it.
func (n *network) normalize(means [3]float32) string {
	mean := n.constant("mean", means[:], 1, 3, 1, 1)
	scale := n.constant("scale", []float32{1.0 / 255}, 1)
	centred := n.node("Sub", "centred", []string{networkInput, mean})
	return n.node("Mul", "normalized", []string{centred, scale})
}

// conv is a convolution of side x side with a bias and TensorFlow's padding "same". The input's sides are even where the
// stride is 2, so that the padding lies right and below.
func (n *network) conv(prefix, x string, side, stride, in, out int) string {
	filters := n.take(prefix+"/filters", side, side, in, out)
	w := n.constant(prefix+"/filters", outputFirst(filters, side*side, in, out), int64(out), int64(in), int64(side), int64(side))
	b := n.constant(prefix+"/bias", n.take(prefix+"/bias", out), int64(out))
	return n.node("Conv", prefix, []string{x, w, b}, window(side, stride)...)
}

// separable is a 3 x 3 convolution of each channel by itself and one of 1 x 1 over all channels with a bias.
func (n *network) separable(prefix, x string, stride, in, out int) string {
	const side = 3
	depth := n.take(prefix+"/depthwise_filter", side, side, in, 1)
	point := n.take(prefix+"/pointwise_filter", 1, 1, in, out)
	d := n.constant(prefix+"/depthwise_filter", outputFirst(depth, side*side, 1, in), int64(in), 1, side, side)
	p := n.constant(prefix+"/pointwise_filter", outputFirst(point, 1, in, out), int64(out), int64(in), 1, 1)
	b := n.constant(prefix+"/bias", n.take(prefix+"/bias", out), int64(out))
	group := onnxgraph.IntAttribute("group", int64(in))
	each := n.node("Conv", prefix+"/depthwise", []string{x, d}, append(window(side, stride), group)...)
	return n.node("Conv", prefix, []string{each, p, b}, window(1, 1)...)
}

// maxPool is the greatest of 3 x 3 at every second place.
func (n *network) maxPool(output, x string) string {
	return n.node("MaxPool", output, []string{x}, window(3, 2)...)
}

// relu is x where it is positive, else 0.
func (n *network) relu(x string) string { return n.node("Relu", x+"/relu", []string{x}) }

// add is the sum of several layers.
func (n *network) add(output string, x ...string) string { return n.node("Sum", output, x) }

// pool is the mean of each channel, as one row.
func (n *network) pool(x string) string {
	mean := n.node("GlobalAveragePool", "pool", []string{x})
	return n.node("Flatten", "features", []string{mean})
}

// dense is a fully connected layer.
func (n *network) dense(prefix, output, x string, in, out int) {
	w := n.constant(prefix+"/weights", n.take(prefix+"/weights", in, out), int64(in), int64(out))
	b := n.constant(prefix+"/bias", n.take(prefix+"/bias", out), int64(out))
	n.node("Gemm", output, []string{x, w, b})
}

// window is the kernel, step and padding of a convolution or a pool.
func window(side, stride int) []*onnxgraph.Attribute {
	var before, after int64
	if side > 1 { // of 3: one pixel around, or with a stride of 2 on an even side one after
		before, after = int64(2-stride), 1
	}
	return []*onnxgraph.Attribute{
		onnxgraph.IntsAttribute("kernel_shape", int64(side), int64(side)),
		onnxgraph.IntsAttribute("strides", int64(stride), int64(stride)),
		onnxgraph.IntsAttribute("pads", before, before, after, after),
	}
}

// outputFirst turns filters of places x in x out, TensorFlow's order, into ONNX's out x in x places.
func outputFirst(filters []float32, places, in, out int) []float32 {
	turned := make([]float32, len(filters))
	for p := range places {
		for i := range in {
			for o := range out {
				turned[(o*in+i)*places+p] = filters[(p*in+i)*out+o]
			}
		}
	}
	return turned
}
