package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/recognizer/packbuild"
)

// cohortPeople is how many strangers the cohort has. 100 to 1,000 were tried; 500 is where the figures stop to matter.
const cohortPeople = 500

// result is what is computed: the figures, and what they rest on.
type result struct {
	cohort  *face.Cohort
	figures packbuild.Figures
	scores  []float64 // normalised scores of strangers, ascending
	people  int       // of the calibration
	photos  int

	pictures []picture // all
	source   string
}

// measureGroups says how often strangers of one group reach the similarities.
func (r *result) measureGroups(points []recognizer.PointSpec) *recognizer.GroupsSpec {
	g := byGroup(r.cohort, points, r.pictures)
	g.Source = fmt.Sprintf("every photo of LFW (%s) against every photo of the group's other people, those of the cohort among "+
		"them; women and men as the pack's gender model sees them, names by where they come from; computed by bench/cohort", r.source)
	return g
}

// compute makes the cohort of some people and calibrates with the others.
func compute(pictures []picture, source string) (*result, error) {
	chosen := choose(pictures)
	if len(chosen) < cohortPeople {
		return nil, fmt.Errorf("%d people with one photo are too few for a cohort of %d", len(chosen), cohortPeople)
	}
	var strangers [][]float32
	var rest []picture
	people := map[string]bool{}
	for _, p := range pictures {
		switch {
		case chosen[p.person]:
			strangers = append(strangers, p.template)
		case p.vector != nil:
			rest = append(rest, p)
			people[p.person] = true
		}
	}
	r := &result{cohort: moments(strangers), people: len(people), photos: len(rest)}
	r.scores = impostors(r.cohort, rest)
	if len(r.scores) < leastComparisons {
		return nil, fmt.Errorf("%d comparisons are too few for a false match rate of 1e-4", len(r.scores))
	}
	r.figures.Cohort = recognizer.CohortSpec{
		File: "cohort.bin", People: len(strangers),
		Source: fmt.Sprintf("mean and covariance of the embeddings of %d people, one photo each, of LFW (%s; Labeled Faces in "+
			"the Wild, University of Massachusetts), computed by bench/cohort; no face, name or single embedding is in it",
			len(strangers), source),
	}
	r.figures.Calibration = recognizer.CalibrationSpec{
		Points: calibrate(r.scores),
		Source: fmt.Sprintf("false match rates of %d comparisons of %d photos of %d other people of LFW (%s): 50 at 1e-2, 80 at "+
			"1e-5, 90 at 1e-6, 99 at 1e-7, the last three with the tail's slope from 1e-2 to 1e-4; computed by bench/cohort",
			len(r.scores), r.photos, r.people, source),
	}
	r.pictures, r.source = pictures, source
	return r, nil
}

// choose picks the cohort among the people with one photo and a face in it: those whose names' hashes come first, which
// is as good as drawing lots and always the same.
func choose(pictures []picture) map[string]bool {
	count := map[string]int{}
	for _, p := range pictures {
		count[p.person]++
	}
	var single []string
	for _, p := range pictures {
		if count[p.person] == 1 && p.vector != nil {
			single = append(single, p.person)
		}
	}
	lot := func(name string) string {
		h := sha256.Sum256([]byte(name))
		return string(h[:])
	}
	slices.SortFunc(single, func(a, b string) int { return strings.Compare(lot(a), lot(b)) })
	chosen := map[string]bool{}
	for _, name := range single[:min(cohortPeople, len(single))] {
		chosen[name] = true
	}
	return chosen
}

// moments are the mean and the covariance of unit vectors.
func moments(vectors [][]float32) *face.Cohort {
	n := len(vectors[0])
	mean, covariance := make([]float64, n), make([]float64, n*n)
	for _, v := range vectors {
		for i, x := range v {
			mean[i] += float64(x)
		}
	}
	c := &face.Cohort{Mean: make([]float32, n), Covariance: make([]float32, n*n)}
	for i := range mean {
		mean[i] /= float64(len(vectors))
		c.Mean[i] = float32(mean[i])
	}
	for _, v := range vectors {
		for i := range n {
			d, row := float64(v[i])-mean[i], covariance[i*n:(i+1)*n]
			for j := i; j < n; j++ {
				row[j] += d * (float64(v[j]) - mean[j])
			}
		}
	}
	for i := range n {
		for j := i; j < n; j++ {
			value := float32(covariance[i*n+j] / float64(len(vectors)))
			c.Covariance[i*n+j], c.Covariance[j*n+i] = value, value
		}
	}
	return c
}

// impostors are the normalised scores of every photo as a probe against all other people's photos as they are enrolled,
// ascending.
func impostors(c *face.Cohort, pictures []picture) []float64 {
	var scores []float64
	for _, probe := range pictures {
		known := c.Impostors(probe.vector)
		for _, other := range pictures {
			if other.person != probe.person {
				scores = append(scores, known.Normalise(face.Score(face.Dot(probe.vector, other.template))))
			}
		}
	}
	slices.Sort(scores)
	return scores
}

// leastComparisons is what a false match rate of 1e-4 needs to be more than a handful of matches.
const leastComparisons = 1_000_000

// calibrate says which similarity the normalised scores at the false match rates stand for: 50 for 1e-2, 80 for 1e-5, 90 for
// 1e-6, 99 for 1e-7. Rates below 1e-4 rest on few comparisons of few people, so they are extrapolated.
func calibrate(scores []float64) []recognizer.PointSpec {
	common, rare := quantile(scores, 1e-2), quantile(scores, 1e-4)
	decade := (rare - common) / 2
	return []recognizer.PointSpec{
		{Normalised: rounded(common), Similarity: 50, Rate: 1e-2},
		{Normalised: rounded(rare + decade), Similarity: 80, Rate: 1e-5},
		{Normalised: rounded(rare + 2*decade), Similarity: 90, Rate: 1e-6},
		{Normalised: rounded(rare + 3*decade), Similarity: 99, Rate: 1e-7},
	}
}

// quantile is the score that this share of the scores reaches.
func quantile(ascending []float64, rate float64) float64 {
	over := int(rate * float64(len(ascending)))
	return ascending[len(ascending)-1-over]
}

func rounded(v float64) float64 { return math.Round(100*v) / 100 }

func (r *result) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cohort of %d people; calibration on %d photos of %d people, %d comparisons\n",
		r.figures.Cohort.People, r.photos, r.people, len(r.scores))
	for _, rate := range []float64{1e-1, 1e-2, 1e-3, 1e-4, 1e-5} {
		fmt.Fprintf(&b, "false match rate %.0e: normalised score %.3f\n", rate, quantile(r.scores, rate))
	}
	for _, p := range r.figures.Calibration.Points {
		fmt.Fprintf(&b, "similarity %v from normalised score %v\n", p.Similarity, p.Normalised)
	}
	return b.String()
}

// write writes cohort.bin and figures.json and prints the table of groups. A calibration that is there already stays: it may come from more
// comparisons than these.
func (r *result) write(dir string, stdout io.Writer) error {
	file := filepath.Join(dir, "figures.json")
	figures := r.figures
	//nolint:gosec // the folder is the caller's own
	if document, err := os.ReadFile(file); err == nil {
		var there packbuild.Figures
		if err = json.Unmarshal(document, &there); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		figures.Calibration = there.Calibration
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	figures.Calibration.Groups = r.measureGroups(figures.Calibration.Points)
	fmt.Fprint(stdout, table(figures.Calibration.Groups))
	cohort, err := recognizer.WriteCohort(r.cohort)
	if err != nil {
		return err
	}
	document, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	//nolint:gosec // figures to be committed
	if err := os.WriteFile(filepath.Join(dir, "cohort.bin"), cohort, 0o644); err != nil {
		return err
	}
	//nolint:gosec // figures to be committed
	return os.WriteFile(file, append(document, '\n'), 0o644)
}
