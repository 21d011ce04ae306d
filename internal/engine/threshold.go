package engine

import (
	"fmt"
	"math"
	"strings"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
)

// What is expected of a threshold that is chosen by how many faces are enrolled, and when a search warns of its own.
const (
	namedStrangers = 0.01 // of the strangers, those who may be named by mistake
	fewFalseNames  = 1.0  // false names in a video that nobody is warned of
	advisedNames   = 0.1  // and those that are left with the threshold that the warning advises
)

// UsualThreshold is the similarity, in percent, that counts as a match where nothing else is asked for: as in AWS.
const UsualThreshold face.Similarity = 80

// threshold is the lowest similarity that counts as a match against so many enrolled faces.
func (e *Engine) threshold(faces int) face.Similarity {
	if e.config.Threshold != config.AutoThreshold {
		return face.Similarity(e.config.Threshold)
	}
	s, _ := e.pack.Calibration().AtRate(namedStrangers / float64(max(faces, 1)))
	return max(s, UsualThreshold) // no chosen threshold lies below the usual one
}

// caution says how many of the people in a video may bear a name that is not theirs, and what to do about it; empty where
// that is hardly anyone, or where the model pack does not say how often strangers are alike.
func caution(c *face.Calibration, threshold face.Similarity, faces, persons int) string {
	rate, ok := c.Rate(threshold)
	expected := float64(persons) * -math.Expm1(-float64(faces)*rate)
	if !ok || expected <= fewFalseNames {
		return ""
	}
	said := fmt.Sprintf("about %.0f of the names may be wrong: %d people seen were compared with %d enrolled faces, and at a "+
		"threshold of %.4g one in %.0f comparisons of strangers passes", expected, persons, faces, threshold, 1/rate)
	better, _ := c.AtRate(advisedNames / (float64(faces) * float64(persons)))
	if better <= threshold {
		return said + "; check each match"
	}
	return fmt.Sprintf("%s; search again with --threshold %.4g", said, better)
}

// Message says of results what of a video was not searched, and what to beware of, in one text; empty where there is nothing.
func Message(partial, cautions []string) string {
	missing := ""
	if len(partial) > 0 {
		missing = "Searched in part: " + strings.Join(partial, "; ")
	}
	return sentences(append([]string{missing}, cautions...)...)
}

// sentences puts what is to be said one after another, each with a capital and a full stop.
func sentences(list ...string) string {
	var said []string
	for _, s := range list {
		if s != "" {
			said = append(said, strings.ToUpper(s[:1])+strings.TrimSuffix(s[1:], ".")+".")
		}
	}
	return strings.Join(said, " ")
}
