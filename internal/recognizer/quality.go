package recognizer

import (
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// qualityOf measures an aligned face's luma, CropSide x CropSide values of 0..255. Brightness is its mean as a
// percentage. Sharpness grows with the energy of the finest detail relative to the contrast.
func qualityOf(luma []byte) face.Quality {
	sum, squares := 0, 0
	for _, v := range luma {
		sum += int(v)
		squares += int(v) * int(v)
	}
	n := float64(len(luma))
	mean := float64(sum) / n
	variance := float64(squares)/n - mean*mean
	return face.Quality{
		Brightness: float32(mean / 255 * 100),
		Sharpness:  sharpness(detail(luma), variance),
	}
}

// detail is the mean square of the Laplacian (4 times a pixel less its neighbours).
func detail(luma []byte) float64 {
	const side = face.CropSide
	sum := 0
	for y := 1; y < side-1; y++ {
		above, row, below := luma[(y-1)*side:y*side], luma[y*side:(y+1)*side], luma[(y+1)*side:(y+2)*side]
		for x := 1; x < side-1; x++ {
			l := 4*int(row[x]) - int(row[x-1]) - int(row[x+1]) - int(above[x]) - int(below[x])
			sum += l * l
		}
	}
	return float64(sum) / ((side - 2) * (side - 2))
}

// sharpness maps detail and variance to 0..100, evenly in the logarithm of their ratio. LFW's aligned faces have a median
// ratio of .046 (sharpness 68) as they are, .021 (51) after one 3 x 3 mean, .013 (41) after two, .008 (30) after four;
// reduced from 112 pixels to 56 they have .026 (56), to 40 .016 (45) and to 27 .010 (34).
func sharpness(detail, variance float64) float32 {
	const (
		least = 25 // sensor noise and rounding alone: below it there is no picture to judge
		none  = 0.002
		full  = 0.2
	)
	ratio := min(max(detail/(variance+least), none), full)
	return float32(100 * math.Log(ratio/none) / math.Log(full/none))
}
