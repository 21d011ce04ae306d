package packbuild

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
)

// The networks of the npm package @vladmandic/face-api, as its source builds them. Both want RGB of 0..255, take the
// same means from it, and give raw figures: a softmax of the last layer is the reader's business.

// faceAPIMeans are the means of red, green and blue that both networks were trained with.
func faceAPIMeans() [3]float32 { return [3]float32{122.782, 117.001, 104.298} }

// The networks' outputs.
const (
	ageOutput        = "age"         // years
	genderOutput     = "gender"      // male, female
	expressionOutput = "expressions" // in the order of expressionOrder
)

// expressionOrder is what the seven numbers of the expression network stand for, in Rekognition's words.
func expressionOrder() []face.EmotionType {
	return []face.EmotionType{face.Calm, face.Happy, face.Sad, face.Angry, face.Fear, face.Disgusted, face.Surprised}
}

// ageGenderNetwork is a small Xception: blocks of separable convolutions with shortcuts, and two heads.
func ageGenderNetwork(manifest, binaries []byte) ([]byte, error) {
	w, err := parseWeights(manifest, binaries)
	if err != nil {
		return nil, err
	}
	n := newNetwork("age_gender", w)
	x := n.relu(n.conv("entry_flow/conv_in", n.normalize(faceAPIMeans()), 3, 2, 3, 32))
	x = n.reduction("entry_flow/reduction_block_0", x, x, 32, 64)
	x = n.reduction("entry_flow/reduction_block_1", x, n.relu(x), 64, 128)
	for i := range 2 {
		x = n.middle(fmt.Sprintf("middle_flow/main_block_%d", i), x, 128)
	}
	x = n.reduction("exit_flow/reduction_block", x, n.relu(x), 128, 256)
	x = n.relu(n.separable("exit_flow/separable_conv", x, 1, 256, 512))
	features := n.pool(x)
	n.dense("fc/age", ageOutput, features, 512, 1)
	n.dense("fc/gender", genderOutput, features, 512, 2)
	return n.bytes([]string{ageOutput, genderOutput}, []int{1, 2})
}

// reduction halves the sides: two separable convolutions of active and a pool, beside a short cut of x.
func (n *network) reduction(prefix, x, active string, in, out int) string {
	y := n.separable(prefix+"/separable_conv0", active, 1, in, out)
	y = n.separable(prefix+"/separable_conv1", n.relu(y), 1, out, out)
	y = n.maxPool(prefix+"/pool", y)
	return n.add(prefix, y, n.conv(prefix+"/expansion_conv", x, 1, 2, in, out))
}

// middle adds three separable convolutions of x to x.
func (n *network) middle(prefix, x string, channels int) string {
	y := n.relu(x)
	for i := range 3 {
		if i > 0 {
			y = n.relu(y)
		}
		y = n.separable(fmt.Sprintf("%s/separable_conv%d", prefix, i), y, 1, channels, channels)
	}
	return n.add(prefix, y, x)
}

// expressionNetwork is four densely connected blocks and one head.
func expressionNetwork(manifest, binaries []byte) ([]byte, error) {
	w, err := parseWeights(manifest, binaries)
	if err != nil {
		return nil, err
	}
	n := newNetwork("expressions", w)
	x := n.relu(n.conv("dense0/conv0", n.normalize(faceAPIMeans()), 3, 2, 3, 32))
	x = n.dense4("dense0", x, 32)
	for i, in := range []int{32, 64, 128} {
		prefix := fmt.Sprintf("dense%d", i+1)
		x = n.relu(n.separable(prefix+"/conv0", x, 2, in, 2*in))
		x = n.dense4(prefix, x, 2*in)
	}
	n.dense("fc", expressionOutput, n.pool(x), 256, 7)
	return n.bytes([]string{expressionOutput}, []int{7})
}

// dense4 is what follows the first layer of a densely connected block: each of three separable convolutions reads the
// sum of all layers before it.
func (n *network) dense4(prefix, first string, channels int) string {
	layers, x := []string{first}, first
	for i := 1; i <= 3; i++ {
		layers = append(layers, n.separable(fmt.Sprintf("%s/conv%d", prefix, i), x, 1, channels, channels))
		x = n.relu(n.add(fmt.Sprintf("%s/sum%d", prefix, i), layers...))
	}
	return x
}
