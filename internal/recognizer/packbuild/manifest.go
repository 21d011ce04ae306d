package packbuild

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/spotter-video/spotter/internal/recognizer"
)

// Figures are what bench/cohort computes beside the cohort itself: where it comes from, and what normalised scores mean.
type Figures struct {
	Cohort      recognizer.CohortSpec      `json:"cohort"`
	Calibration recognizer.CalibrationSpec `json:"calibration"`
}

func readFigures() (Figures, error) {
	d := json.NewDecoder(bytes.NewReader(figures))
	d.DisallowUnknownFields()
	var f Figures
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("read the committed figures: %w", err)
	}
	return f, nil
}

// newManifest describes the default pack. The preprocessing and the thresholds are those that the models were measured
// with (docs/decisions/0003-default-pack.md).
func newManifest(files []file) (*recognizer.Manifest, error) {
	f, err := readFigures()
	if err != nil {
		return nil, err
	}
	f.Cohort.File = cohortFile
	m := &recognizer.Manifest{
		Format: 1, Name: packName, Version: "1.0",
		Detector: recognizer.DetectorSpec{
			Kind: "ultraface", File: detectorFile,
			Input:  recognizer.InputSpec{Name: "input", Colours: "RGB", Mean: 127, Scale: 1.0 / 128},
			Scores: []string{"scores"}, Boxes: []string{"462"}, MinScore: 0.65, MaxIoU: 0.4,
		},
		Landmarks: &recognizer.LandmarksSpec{
			Kind: "points68", File: landmarksFile, Output: "output",
			Input: recognizer.InputSpec{Name: "input", Colours: "grey", Mean: 0, Scale: 1.0 / 256, Width: 64, Height: 64},
		},
		Embedder: recognizer.EmbedderSpec{
			Kind: "arcface", File: embedderFile, Output: "output", Dimension: 512, Flip: true,
			Input: recognizer.InputSpec{Name: "input", Colours: "BGR", Mean: 127.5, Scale: 1 / 127.5},
			Template: [5][2]float32{
				{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041},
			},
			MinNorm: 2.6,
		},
		Cohort:      &f.Cohort,
		Calibration: &f.Calibration,
		Tracklets: &recognizer.TrackletsSpec{
			NormFloor: 1.5, NormLeast: 0.05, Split: 2.4, SplitSure: 4, SureWeight: 4, SamePerson: 4.76, WeakWeight: 0.5,
			Source: "television, talk-show, film and street clips at 4 to 7 frames a second; docs/decisions/0004-tracks.md and " +
				"0008-names.md",
		},
		Attributes: attributes(),
	}
	for _, f := range files {
		m.Files = append(m.Files, f.spec)
	}
	return m, nil
}
