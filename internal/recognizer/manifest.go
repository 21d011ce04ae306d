package recognizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/face"
)

// ManifestName is the manifest's name in a pack's folder.
const ManifestName = "manifest.json"

// Bounds of a manifest. They are far above any pack there is and keep a hostile one small.
const (
	maxManifest  = 1 << 20 // bytes
	maxFiles     = 32
	maxFileSize  = 2 << 30 // bytes; also the most that a protobuf file can hold
	maxText      = 2000    // bytes of a name, licence or provenance
	maxDimension = 4096
	maxInputSide = 4096 // pixels
)

// Manifest describes a model pack. See docs/decisions/0003-default-pack.md for the one that is built in.
type Manifest struct {
	// Format is 1.
	Format int `json:"format"`
	// Name is lower-case letters, digits and hyphens.
	Name string `json:"name"`
	// Version is digits and dots, the only form that the API can show.
	Version string `json:"version"`

	Detector DetectorSpec `json:"detector"`
	// Landmarks is needed where the detector gives no points of its own.
	Landmarks   *LandmarksSpec   `json:"landmarks,omitempty"`
	Embedder    EmbedderSpec     `json:"embedder"`
	Cohort      *CohortSpec      `json:"cohort,omitempty"`
	Calibration *CalibrationSpec `json:"calibration,omitempty"`
	// Tracklets, like Cohort and Calibration, are missing from a pack that nothing has been measured of yet.
	Tracklets *TrackletsSpec `json:"tracklets,omitempty"`
	// Attributes is needed only where somebody asks what faces look like.
	Attributes *AttributesSpec `json:"attributes,omitempty"`
	Files      []FileSpec      `json:"files"`
}

// FileSpec is one file of the pack.
type FileSpec struct {
	// Path is relative to the pack's folder, with slashes, and stays inside it.
	Path    string `json:"path"`
	Size    int64  `json:"size"`   // bytes
	SHA256  string `json:"sha256"` // 64 lower-case hex digits
	Licence string `json:"licence"`
	// Source says where the file comes from, Changes what was done to it since.
	Source  string `json:"source"`
	Changes string `json:"changes,omitempty"`
}

// InputSpec says how a model wants its picture: value = (pixel - Mean) * Scale, pixels 0..255.
type InputSpec struct {
	Name string `json:"name"`
	// Colours are "RGB", "BGR" or "grey".
	Colours string  `json:"colours"`
	Mean    float32 `json:"mean"`
	Scale   float32 `json:"scale"`
	// Width and Height in pixels; both 0 where the model takes any size.
	Width  int `json:"width,omitempty"`
	Height int `json:"height,omitempty"`
}

// DetectorSpec says which model finds faces. Kind decides what the outputs are:
//
//   - "ultraface": Scores one output (background and face per prior), Boxes one output (undecoded offsets).
//   - "scrfd": Scores, Boxes and Points three outputs each, for strides 8, 16 and 32, two anchors a cell.
//   - "yunet": Scores, Objects, Boxes and Points three outputs each, for strides 8, 16 and 32.
type DetectorSpec struct {
	Kind    string    `json:"kind"`
	File    string    `json:"file"`
	Input   InputSpec `json:"input"`
	Scores  []string  `json:"scores"`
	Objects []string  `json:"objects,omitempty"`
	Boxes   []string  `json:"boxes"`
	Points  []string  `json:"points,omitempty"`
	// MinScore is the lowest score of a detection, 0..1. Raising it loses faces, lowering it finds hands and clothes.
	MinScore float32 `json:"minScore"`
	// MaxIoU is how far two detections may overlap before the weaker one is dropped, 0..1.
	MaxIoU float32 `json:"maxIoU"`
}

// LandmarksSpec says which model finds the points of a face. The one kind is "points68": the 68 points of the iBUG
// 300-W scheme, as x and y from 0 to 1 over the square around the face box.
type LandmarksSpec struct {
	Kind   string    `json:"kind"`
	File   string    `json:"file"`
	Input  InputSpec `json:"input"`
	Output string    `json:"output"`
}

// EmbedderSpec says which model makes embeddings. The one kind is "arcface": a face aligned to Template in a crop of
// 112 x 112 pixels.
type EmbedderSpec struct {
	Kind      string    `json:"kind"`
	File      string    `json:"file"`
	Input     InputSpec `json:"input"`
	Output    string    `json:"output"`
	Dimension int       `json:"dimension"`
	// Flip adds the embedding of the mirrored crop: twice the time, a little better.
	Flip bool `json:"flip"`
	// Template is where the five landmarks lie in the crop: x and y in pixel indices, in the order of face.Landmarks.
	Template [5][2]float32 `json:"template"`
	// MinNorm is the least length of the raw output of a face that is good enough to enrol; 0 where the length of this
	// model's output says nothing about quality.
	MinNorm float32 `json:"minNorm,omitempty"`
}

// CohortSpec names the file with the mean and covariance of strangers' embeddings, as [WriteCohort] writes it.
type CohortSpec struct {
	File string `json:"file"`
	// People is how many strangers the figures are made of.
	People int    `json:"people"`
	Source string `json:"source"`
}

// CalibrationSpec says what normalised scores mean.
type CalibrationSpec struct {
	Points []PointSpec `json:"points"`
	Source string      `json:"source"`
	// Groups are how often strangers of one group reach the similarities, where that was measured.
	Groups *GroupsSpec `json:"groups,omitempty"`
}

// GroupsSpec is a table of false match rates: those of strangers who have something in common.
type GroupsSpec struct {
	// Similarities are the table's columns, ascending.
	Similarities []float64   `json:"similarities"`
	Rows         []GroupSpec `json:"rows"`
	Source       string      `json:"source"`
}

// GroupSpec is one group of people.
type GroupSpec struct {
	Name   string `json:"name"`
	People int    `json:"people"`
	// Pairs is how many comparisons of two of its people were made.
	Pairs int `json:"pairs"`
	// Rates are the shares of the pairs that reach each of the table's similarities.
	Rates []float64 `json:"rates"`
}

// TrackletsSpec says where the figures lie that a search of video compares: see [face.Scale], which it becomes.
type TrackletsSpec struct {
	// NormFloor is the norm up to which a sample says next to nothing; a sample counts with the square of what its norm has
	// above it, and at least with the square of NormLeast.
	NormFloor float32 `json:"normFloor"`
	NormLeast float32 `json:"normLeast"`
	// Split is the normalised score below which the two parts of a tracklet are two people.
	Split float64 `json:"split"`
	// SplitSure is the same for two parts that weigh at least SureWeight each.
	SplitSure  float64 `json:"splitSure"`
	SureWeight float64 `json:"sureWeight"`
	// SamePerson is the normalised score from which two tracklets are one person.
	SamePerson float64 `json:"samePerson"`
	// WeakWeight is the weight below which a tracklet says too little to tell whose face it is.
	WeakWeight float64 `json:"weakWeight"`
	Source     string  `json:"source"`
}

// PointSpec is one point of the calibration: the similarity of a normalised score.
type PointSpec struct {
	Normalised float64 `json:"normalised"`
	Similarity float64 `json:"similarity"`
	// Rate is the share of pairs of strangers that reach it; left out where it is not known.
	Rate float64 `json:"rate,omitempty"`
}

// ParseManifest reads a manifest strictly: unknown fields, trailing data and anything out of bounds are errors.
func ParseManifest(document []byte) (*Manifest, error) {
	if len(document) > maxManifest {
		return nil, fmt.Errorf("parse pack manifest: %d bytes are more than %d", len(document), maxManifest)
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	m := &Manifest{}
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("parse pack manifest: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse pack manifest: something follows the document")
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("pack manifest: %w", err)
	}
	return m, nil
}

// Bytes is the manifest as a document, the same for the same manifest.
func (m *Manifest) Bytes() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("pack manifest: %w", err)
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write pack manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// File finds a file of the pack by its path; nil if the pack has none there.
func (m *Manifest) File(name string) *FileSpec {
	for i := range m.Files {
		if m.Files[i].Path == name {
			return &m.Files[i]
		}
	}
	return nil
}

// calibration is what the manifest says, in the terms of face.
func (c *CalibrationSpec) calibration() *face.Calibration {
	out := &face.Calibration{}
	for _, p := range c.Points {
		out.Points = append(out.Points, face.CalibrationPoint{
			Normalised: p.Normalised, Similarity: face.Similarity(p.Similarity), Rate: p.Rate,
		})
	}
	return out
}

// scale is what the manifest says, in the terms of face.
func (t *TrackletsSpec) scale() *face.Scale {
	return &face.Scale{
		PoolFloor: t.NormFloor, PoolLeast: t.NormLeast, Split: t.Split, SplitSure: t.SplitSure,
		Sure: t.SureWeight, SamePerson: t.SamePerson, Weak: t.WeakWeight,
	}
}

func validName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '-' && madeOf(s, "abcdefghijklmnopqrstuvwxyz0123456789-")
}

func validVersion(s string) bool {
	return len(s) <= 32 && madeOf(s, "0123456789.") && !slices.Contains(strings.Split(s, "."), "")
}

func validHash(s string) bool { return len(s) == 64 && madeOf(s, "0123456789abcdef") }

func madeOf(s, characters string) bool { return strings.Trim(s, characters) == "" }

func validPath(s string) bool {
	return len(s) <= 200 && fs.ValidPath(s) && s != "." && path.Clean(s) == s && !strings.ContainsAny(s, "\\:\x00")
}
