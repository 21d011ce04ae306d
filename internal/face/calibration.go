package face

import (
	"errors"
	"fmt"
	"math"
)

// Cohort is what is known of the embeddings of strangers in general: their mean and covariance, figures that name
// nobody. A probe's scores against strangers have mean Mean.q and variance q'.Covariance.q, so that no cohort needs to
// be kept (t-norm in the speaker and face verification literature).
type Cohort struct {
	// Mean has the embedding's dimension n.
	Mean []float32
	// Covariance is the n x n matrix, row by row, symmetric.
	Covariance []float32
}

// Impostors are the moments of one probe's scores against strangers.
type Impostors struct{ Mean, Deviation float64 }

// Impostors computes the moments for a probe (unit vector). The result is the same on every CPU.
func (c *Cohort) Impostors(probe []float32) Impostors {
	n := len(probe)
	var variance float64
	for i, x := range probe {
		row := c.Covariance[i*n : (i+1)*n]
		// The matrix is symmetric: what is right of the diagonal counts twice.
		variance += float64(float64(x) * float64(2*Dot32(row[i+1:], probe[i+1:])+float32(row[i]*x)))
	}
	return Impostors{Mean: Dot(c.Mean, probe), Deviation: math.Sqrt(max(variance, 1e-12))}
}

// Normalise is the score in deviations above the mean of the probe's impostor scores.
func (i Impostors) Normalise(s Score) float64 { return (float64(s) - i.Mean) / i.Deviation }

// Score is the score at a normalised value: the inverse of [Impostors.Normalise].
func (i Impostors) Score(normalised float64) Score { return Score(i.Mean + normalised*i.Deviation) }

// CalibrationPoint says which similarity a normalised score stands for.
type CalibrationPoint struct {
	Normalised float64
	Similarity Similarity
	// Rate is the share of pairs of strangers that reach it, the false match rate; 0 where that is not known.
	Rate float64
}

// Calibration turns normalised scores into similarities: linear between its points, 0 at or below a normalised score
// of 0 (the impostor mean), 100 at cosine 1. Points ascend strictly in both members.
type Calibration struct{ Points []CalibrationPoint }

// Check says what is wrong with the points; nil if nothing is.
func (c *Calibration) Check() error {
	if len(c.Points) == 0 {
		return errors.New("calibration has no points")
	}
	last := CalibrationPoint{}
	for _, p := range c.Points {
		if !(p.Normalised > last.Normalised) || !(p.Similarity > last.Similarity) || p.Similarity >= 100 {
			return fmt.Errorf("calibration point %v -> %v does not lie above (%v -> %v) and below 100",
				p.Normalised, p.Similarity, last.Normalised, last.Similarity)
		}
		last = p
	}
	return c.checkRates()
}

func (c *Calibration) checkRates() error {
	last := 1.0
	for _, p := range c.Points {
		if p.Rate == 0 && last == 1 {
			continue
		}
		if !(p.Rate > 0 && p.Rate < last) {
			return fmt.Errorf("the rate %v of similarity %v does not lie below %v", p.Rate, p.Similarity, last)
		}
		last = p.Rate
	}
	return nil
}

// Rate is the share of pairs of strangers whose similarity reaches s: from the points with a rate, along the logarithm
// between them, and the last one's from there up. ok is false where the pack does not say.
func (c *Calibration) Rate(s Similarity) (rate float64, ok bool) {
	last := CalibrationPoint{Rate: 1}
	for _, p := range c.Points {
		if p.Rate == 0 {
			return 0, false
		}
		if s < p.Similarity {
			share := float64(s-last.Similarity) / float64(p.Similarity-last.Similarity)
			return last.Rate * math.Pow(p.Rate/last.Rate, max(share, 0)), true
		}
		last = p
	}
	return last.Rate, len(c.Points) > 0
}

// AtRate is the lowest whole similarity that at most this share of pairs of strangers reaches, and the last point's where
// none does. ok is false where the pack does not say.
func (c *Calibration) AtRate(rate float64) (s Similarity, ok bool) {
	for whole := range 100 {
		s = Similarity(whole)
		r, ok := c.Rate(s)
		if !ok {
			return 0, false
		}
		if r <= rate {
			return s, true
		}
	}
	return c.Points[len(c.Points)-1].Similarity, true
}

// Similarity of a score for a probe with these impostor moments. Monotone in the score.
func (c *Calibration) Similarity(s Score, i Impostors) Similarity {
	return c.of(i.Normalise(s), i.Normalise(1))
}

// Between is the similarity of two probes of one kind, neither of which is enrolled: their score is normalised from both
// sides (s-norm in the speaker verification literature). Symmetric, and monotone in the score.
func (c *Calibration) Between(s Score, a, b Impostors) Similarity {
	return c.of((a.Normalise(s)+b.Normalise(s))/2, (a.Normalise(1)+b.Normalise(1))/2)
}

// of is the similarity of a normalised score, where a cosine of 1 has the normalised score top.
func (c *Calibration) of(z, top float64) Similarity {
	if z <= 0 || math.IsNaN(z) {
		return 0
	}
	if z >= top {
		return 100
	}
	last := CalibrationPoint{}
	for _, p := range c.Points {
		if z < p.Normalised {
			return between(last, p, z)
		}
		last = p
	}
	return between(last, CalibrationPoint{Normalised: max(top, last.Normalised), Similarity: 100}, z)
}

// Threshold is the lowest score whose similarity reaches sim, for a probe with these impostor moments. It is rounded
// down a little, so a caller that needs exactness compares the similarity of what it finds once more.
func (c *Calibration) Threshold(sim Similarity, i Impostors) Score {
	const slack = 1e-5
	if sim <= 0 {
		return -1
	}
	var last CalibrationPoint
	if n := len(c.Points); n > 0 {
		last = c.Points[n-1]
	}
	if sim <= last.Similarity {
		return i.Score(c.Least(sim)) - slack
	}
	if sim > 100 {
		return 1 - slack
	}
	share := float64(sim-last.Similarity) / float64(100-last.Similarity)
	return i.Score(last.Normalised+share*(i.Normalise(1)-last.Normalised)) - slack
}

// Least is a normalised score that no probe is below whose similarity reaches sim: for those up to the last point it is the lowest one.
func (c *Calibration) Least(sim Similarity) float64 {
	last := CalibrationPoint{}
	for _, p := range c.Points {
		if sim <= p.Similarity {
			share := float64(sim-last.Similarity) / float64(p.Similarity-last.Similarity)
			return last.Normalised + max(share, 0)*(p.Normalised-last.Normalised)
		}
		last = p
	}
	return last.Normalised
}

func between(a, b CalibrationPoint, z float64) Similarity {
	if b.Normalised <= a.Normalised {
		return b.Similarity
	}
	share := min(max((z-a.Normalised)/(b.Normalised-a.Normalised), 0), 1)
	return a.Similarity + Similarity(share)*(b.Similarity-a.Similarity)
}
