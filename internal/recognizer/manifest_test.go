package recognizer

import (
	"encoding/json"
	"strings"
	"testing"
)

// valid is a manifest of a pack with a detector that gives points, ready to be spoilt.
func valid() *Manifest {
	hash := strings.Repeat("0a", 32)
	input := InputSpec{Name: "in", Colours: "RGB", Mean: 127.5, Scale: 1.0 / 128}
	levels := func(name string) []string { return []string{name + "8", name + "16", name + "32"} }
	return &Manifest{
		Format: 1, Name: "tiny", Version: "1.2.3",
		Detector: DetectorSpec{
			Kind: "scrfd", File: "d.onnx", Input: input, Scores: levels("s"), Boxes: levels("b"), Points: levels("p"),
			MinScore: 0.5, MaxIoU: 0.4,
		},
		Embedder: EmbedderSpec{
			Kind: "arcface", File: "sub/e.onnx", Input: input, Output: "out", Dimension: 4, Flip: true,
			Template: [5][2]float32{{38, 52}, {74, 52}, {56, 72}, {42, 92}, {71, 92}},
		},
		Calibration: &CalibrationSpec{Points: []PointSpec{{2.5, 50, 1e-2}, {4, 80, 1e-5}}, Source: "a test"},
		Files: []FileSpec{
			{Path: "d.onnx", Size: 10, SHA256: hash, Licence: "MIT", Source: "a test"},
			{Path: "sub/e.onnx", Size: 10, SHA256: hash, Licence: "MIT", Source: "a test"},
		},
	}
}

func TestManifestIsReadAsWritten(t *testing.T) {
	t.Parallel()
	document, err := valid().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseManifest(document)
	if err != nil {
		t.Fatal(err)
	}
	again, err := m.Bytes()
	if err != nil || string(again) != string(document) {
		t.Errorf("written again it is %s, %v", again, err)
	}
}

func TestManifestRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Manifest){
		"another format":              func(m *Manifest) { m.Format = 2 },
		"a version with letters":      func(m *Manifest) { m.Version = "1.0-beta" },
		"a version with two dots":     func(m *Manifest) { m.Version = "1..0" },
		"a name with a slash":         func(m *Manifest) { m.Name = "a/b" },
		"no files":                    func(m *Manifest) { m.Files = nil },
		"a path above":                func(m *Manifest) { m.Files[0].Path = "../d.onnx" },
		"an absolute path":            func(m *Manifest) { m.Files[0].Path = "/etc/passwd" },
		"a path with a backslash":     func(m *Manifest) { m.Files[0].Path = `..\d.onnx` },
		"a file twice":                func(m *Manifest) { m.Files[1].Path = "d.onnx" },
		"an empty file":               func(m *Manifest) { m.Files[0].Size = 0 },
		"an enormous file":            func(m *Manifest) { m.Files[0].Size = 1 << 40 },
		"a hash of wrong length":      func(m *Manifest) { m.Files[0].SHA256 = "00" },
		"no licence":                  func(m *Manifest) { m.Files[0].Licence = "" },
		"no source":                   func(m *Manifest) { m.Files[0].Source = "" },
		"an unknown detector":         func(m *Manifest) { m.Detector.Kind = "retina" },
		"a model that is no file":     func(m *Manifest) { m.Detector.File = "x.onnx" },
		"two outputs for three":       func(m *Manifest) { m.Detector.Scores = m.Detector.Scores[:2] },
		"an unnamed output":           func(m *Manifest) { m.Detector.Boxes[1] = "" },
		"a score above 1":             func(m *Manifest) { m.Detector.MinScore = 1.5 },
		"a detector without points":   func(m *Manifest) { m.Detector.Kind, m.Detector.Points = "ultraface", nil },
		"grey for a coloured model":   func(m *Manifest) { m.Embedder.Input.Colours = "grey" },
		"a scale of nothing":          func(m *Manifest) { m.Embedder.Input.Scale = 0 },
		"a width without a height":    func(m *Manifest) { m.Detector.Input.Width = 320 },
		"a dimension of a million":    func(m *Manifest) { m.Embedder.Dimension = 1_000_000 },
		"a template outside the crop": func(m *Manifest) { m.Embedder.Template[2][0] = 200 },
		"a mirrored template": func(m *Manifest) {
			m.Embedder.Template[0], m.Embedder.Template[1] = m.Embedder.Template[1], m.Embedder.Template[0]
		},
		"points that do not ascend":  func(m *Manifest) { m.Calibration.Points[1].Normalised = 1 },
		"a cohort that is no file":   func(m *Manifest) { m.Cohort = &CohortSpec{File: "c", People: 5, Source: "s"} },
		"landmarks of unknown kind":  func(m *Manifest) { m.Landmarks = &LandmarksSpec{Kind: "mesh"} },
		"landmarks without a square": func(m *Manifest) { m.Landmarks = landmarks68(64, 32) },
	} {
		m := valid()
		spoil(m)
		document, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseManifest(document); err == nil {
			t.Errorf("a manifest with %s was accepted", name)
		}
	}
}

func landmarks68(w, h int) *LandmarksSpec {
	in := InputSpec{Name: "in", Colours: "grey", Scale: 1, Width: w, Height: h}
	return &LandmarksSpec{Kind: "points68", File: "d.onnx", Output: "out", Input: in}
}

func TestParseManifestRefuses(t *testing.T) {
	t.Parallel()
	document, err := valid().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]string{
		"nothing":           "",
		"a list":            "[]",
		"an unknown field":  strings.Replace(string(document), `"format"`, `"colour": 1, "format"`, 1),
		"something more":    string(document) + "{}",
		"half of it":        string(document[:len(document)/2]),
		"too much of it":    string(document) + strings.Repeat(" ", maxManifest),
		"a number too long": strings.Replace(string(document), "127.5", "1e99", 1),
	} {
		if _, err := ParseManifest([]byte(d)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzManifest(f *testing.F) {
	document, err := valid().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(document)
	if document, err = withAttributes().Bytes(); err != nil {
		f.Fatal(err)
	}
	f.Add(document)
	f.Add([]byte(`{"format":1}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := ParseManifest(document)
		if err != nil {
			return
		}
		again, err := m.Bytes()
		if err != nil {
			t.Fatalf("an accepted manifest cannot be written: %v", err)
		}
		if _, err := ParseManifest(again); err != nil {
			t.Fatalf("a written manifest cannot be read: %v", err)
		}
	})
}
