package recognizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/spotter-video/spotter/internal/face"
)

// A cohort file is, all little-endian: the 8 bytes "SPCOHRT1", the dimension n as uint32, n float32 of the mean, and
// the upper triangle of the covariance with its diagonal, row by row, as float32: n + n-1 + ... + 1 of them.
const cohortMagic = "SPCOHRT1"

// WriteCohort is the cohort as a file.
func WriteCohort(c *face.Cohort) ([]byte, error) {
	n := len(c.Mean)
	if n == 0 || n > maxDimension || len(c.Covariance) != n*n {
		return nil, fmt.Errorf("write cohort: %d means and %d covariances", n, len(c.Covariance))
	}
	b := make([]byte, 0, cohortSize(n))
	b = append(b, cohortMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	for _, v := range c.Mean {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	for i := range n {
		for _, v := range c.Covariance[i*n+i : (i+1)*n] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b, nil
}

// ReadCohort reads a cohort file.
func ReadCohort(file []byte) (*face.Cohort, error) {
	const head = len(cohortMagic) + 4
	if len(file) < head || string(file[:len(cohortMagic)]) != cohortMagic {
		return nil, errors.New("read cohort: not a cohort file")
	}
	n := int(min(binary.LittleEndian.Uint32(file[len(cohortMagic):]), maxDimension+1))
	if n == 0 || n > maxDimension || len(file) != cohortSize(n) {
		return nil, fmt.Errorf("read cohort: %d bytes do not fit dimension %d", len(file), n)
	}
	at := file[head:]
	next := func() float32 {
		v := math.Float32frombits(binary.LittleEndian.Uint32(at))
		at = at[4:]
		return v
	}
	c := &face.Cohort{Mean: make([]float32, n), Covariance: make([]float32, n*n)}
	for i := range n {
		c.Mean[i] = next()
	}
	for i := range n {
		for j := i; j < n; j++ {
			v := next()
			c.Covariance[i*n+j], c.Covariance[j*n+i] = v, v
		}
		// Means and covariances of unit vectors lie within 1.
		if d := c.Covariance[i*n+i]; !(d >= 0 && d <= 1) || !(c.Mean[i] >= -1 && c.Mean[i] <= 1) {
			return nil, fmt.Errorf("read cohort: mean %v and variance %v of component %d", c.Mean[i], d, i)
		}
		for _, v := range c.Covariance[i*n : (i+1)*n] {
			if !(v >= -1 && v <= 1) {
				return nil, fmt.Errorf("read cohort: covariance %v", v)
			}
		}
	}
	return c, nil
}

func cohortSize(n int) int { return len(cohortMagic) + 4 + 4*(n+n*(n+1)/2) }
