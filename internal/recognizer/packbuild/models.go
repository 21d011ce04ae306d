package packbuild

import (
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/recognizer/internal/onnxgraph"
)

// The pack's files.
const (
	detectorFile  = "ultraface.onnx"
	landmarksFile = "landmarks68.onnx"
	embedderFile  = "embedder.onnx"
	cohortFile    = "cohort.bin"
	licenceFile   = "LICENSE"

	eyesFile              = "eyes.onnx"
	ageGenderFile         = "age-gender.onnx"
	expressionFile        = "expressions.onnx"
	attributesLicenceFile = "LICENSE-face-api"
)

// cohort and its provenance, as bench/cohort wrote them.
var (
	//go:embed cohort.bin
	cohort []byte
	//go:embed figures.json
	figures []byte
)

// packFiles reads and edits everything that the pack holds.
func packFiles(npmDir string) ([]file, error) {
	files, err := searchFiles(npmDir)
	if err != nil {
		return nil, err
	}
	attributes, err := attributeFiles(npmDir)
	if err != nil {
		return nil, err
	}
	return append(files, attributes...), nil
}

// searchFiles are what finding and comparing faces needs.
func searchFiles(npmDir string) ([]file, error) {
	var files []file
	for _, m := range []struct {
		path, from, changes string
		edit                func([]byte) ([]byte, error)
	}{
		{detectorFile, "model/fr_detect.onnx", "priors and box decoding cut off, batch, height and width made free", freeDetector},
		{landmarksFile, "model/fr_landmark.onnx", "", nil},
		{embedderFile, "model/fr_feature.onnx", "each PRelu rewritten as Relu, depthwise Conv and Add, factors folded into the " +
			"following Conv; equal in real arithmetic", blockedEmbedder},
		{licenceFile, "LICENSE", "", nil},
	} {
		content, err := readPackaged(npmDir, modelsPackage, m.from)
		if err != nil {
			return nil, err
		}
		if m.edit != nil {
			if content, err = m.edit(content); err != nil {
				return nil, fmt.Errorf("edit %s: %w", m.from, err)
			}
		}
		files = append(files, newFile(m.path, content, source(modelsPackage, modelsVersion, m.from), m.changes, "MIT"))
	}
	f, err := readFigures()
	if err != nil {
		return nil, err
	}
	return append(files, newFile(cohortFile, cohort, f.Cohort.Source, "", "Apache-2.0")), nil
}

// attributeFiles are what telling the look of a face needs.
func attributeFiles(npmDir string) ([]file, error) {
	const eyes, licence = "model/fr_eye.onnx", "LICENSE"
	eyesModel, err := readPackaged(npmDir, modelsPackage, eyes)
	if err != nil {
		return nil, err
	}
	licenceText, err := readPackaged(npmDir, attributesPackage, licence)
	if err != nil {
		return nil, err
	}
	ageGender, err := networkFile(npmDir, ageGenderFile, "model/age_gender_model", ageGenderNetwork)
	if err != nil {
		return nil, err
	}
	expressions, err := networkFile(npmDir, expressionFile, "model/face_expression_model", expressionNetwork)
	if err != nil {
		return nil, err
	}
	return []file{
		newFile(eyesFile, eyesModel, source(modelsPackage, modelsVersion, eyes), "", "MIT"), ageGender, expressions,
		newFile(attributesLicenceFile, licenceText, source(attributesPackage, attributesVersion, licence), "", "MIT"),
	}, nil
}

// networkFile builds a network out of the weights that the package of the attributes keeps under a name.
func networkFile(npmDir, path, name string, build func(manifest, binaries []byte) ([]byte, error)) (file, error) {
	const changes = "TensorFlow.js weights, made float32, written as an ONNX graph of the layers in the package's source"
	manifest, err := readPackaged(npmDir, attributesPackage, name+"-weights_manifest.json")
	if err != nil {
		return file{}, err
	}
	binaries, err := readPackaged(npmDir, attributesPackage, name+".bin")
	if err != nil {
		return file{}, err
	}
	content, err := build(manifest, binaries)
	if err != nil {
		return file{}, fmt.Errorf("build %s of %s: %w", path, name, err)
	}
	return newFile(path, content, source(attributesPackage, attributesVersion, name+".bin"), changes, "MIT"), nil
}

// readPackaged reads a file of an installed npm package.
func readPackaged(npmDir, name, path string) ([]byte, error) {
	return read(filepath.Join(npmDir, filepath.FromSlash(name), filepath.FromSlash(path)), maxModel)
}

func source(name, version, path string) string {
	return fmt.Sprintf("npm package %s %s, %s", name, version, path)
}

// freeDetector makes UltraFace take pictures of any size: the boxes' decoding, which holds the priors of 320 x 240 as
// constants, is cut off before it begins. Weights are unchanged.
func freeDetector(model []byte) ([]byte, error) {
	const scores, offsets = "scores", "462"
	m, err := onnxgraph.Parse(model)
	if err != nil {
		return nil, err
	}
	batch, anchors := onnxgraph.Dim{Free: "N"}, onnxgraph.Dim{Free: "A"}
	if err := m.Graph.Cut(
		onnxgraph.FloatPort(scores, batch, anchors, onnxgraph.Dim{Size: 2}),
		onnxgraph.FloatPort(offsets, batch, anchors, onnxgraph.Dim{Size: 4}),
	); err != nil {
		return nil, err
	}
	m.Graph.Inputs = []*onnxgraph.Port{onnxgraph.FloatPort("input", batch, onnxgraph.Dim{Size: 3},
		onnxgraph.Dim{Free: "H"}, onnxgraph.Dim{Free: "W"})}
	return m.Bytes(), nil
}

// blockedEmbedder makes the embedder fast without changing what it computes.
func blockedEmbedder(model []byte) ([]byte, error) {
	const slopes = 33
	m, err := onnxgraph.Parse(model)
	if err != nil {
		return nil, err
	}
	n, err := m.Graph.ReplacePRelu()
	if err != nil {
		return nil, err
	}
	if n != slopes {
		return nil, fmt.Errorf("%d PRelu nodes instead of %d", n, slopes)
	}
	return m.Bytes(), nil
}
