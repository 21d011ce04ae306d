package recognizer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spotter-video/spotter/internal/face"
)

// Pack is a loaded model pack: every file read and its hash checked. It is read-only and may be shared.
type Pack struct {
	dir         string
	manifest    *Manifest
	content     map[string][]byte
	model       face.ModelID
	sum         string
	cohort      *face.Cohort
	calibration *face.Calibration
	scale       *face.Scale
}

// LoadPack reads the model pack in a folder. It is an error if the pack has no cohort, calibration or tracklets; see
// [LoadUncalibrated].
func LoadPack(dir string) (*Pack, error) {
	p, err := LoadUncalibrated(dir)
	if err != nil {
		return nil, err
	}
	if p.cohort == nil || p.calibration == nil || p.scale == nil {
		return nil, fmt.Errorf("load model pack %s: its manifest lacks the cohort, the calibration or the tracklets, so its "+
			"scores mean nothing; 'go run ./bench/cohort' computes the first two, and docs/decisions/0008-names.md says how the "+
			"third is found; 'make setup' builds the default pack anew", dir)
	}
	return p, nil
}

// LoadUncalibrated reads a model pack that may lack a cohort, a calibration and tracklets: what these are found with.
func LoadUncalibrated(dir string) (_ *Pack, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("load model pack %s: %w", dir, err)
		}
	}()
	// A root confines every path, links included, to the folder.
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; 'make setup' builds the default pack", err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	document, err := readFile(root, ManifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(document)
	p := &Pack{dir: dir, content: map[string][]byte{}, sum: hex.EncodeToString(sum[:])}
	if p.manifest, err = ParseManifest(document); err != nil {
		return nil, err
	}
	for _, f := range p.manifest.Files {
		if p.content[f.Path], err = readVerified(root, f); err != nil {
			return nil, err
		}
	}
	return p, p.interpret()
}

// interpret makes what follows from the files.
func (p *Pack) interpret() (err error) {
	m := p.manifest
	p.model = modelID(m)
	if m.Calibration != nil {
		p.calibration = m.Calibration.calibration()
	}
	if m.Tracklets != nil {
		p.scale = m.Tracklets.scale()
	}
	if m.Cohort == nil {
		return nil
	}
	if p.cohort, err = ReadCohort(p.content[m.Cohort.File]); err != nil {
		return err
	}
	if len(p.cohort.Mean) != m.Embedder.Dimension {
		return fmt.Errorf("the cohort's dimension is %d, the embedder's %d", len(p.cohort.Mean), m.Embedder.Dimension)
	}
	return nil
}

// modelID names the pack and, by eight digits of a hash, everything that decides what an embedding looks like.
func modelID(m *Manifest) face.ModelID {
	h := sha256.New()
	e := &m.Embedder
	fmt.Fprintf(h, "%s %+v %t %v\n", m.File(e.File).SHA256, e.Input, e.Flip, e.Template)
	return face.ModelID(m.Name + "-" + m.Version + "-" + hex.EncodeToString(h.Sum(nil)[:4]))
}

// Model names the pack's embedding space.
func (p *Pack) Model() face.ModelID { return p.model }

// Sum is the sha256 of the pack's manifest in hex digits, and so tells everything that is in the pack from anything else.
func (p *Pack) Sum() string { return p.sum }

// Version is the pack's version: digits and dots.
func (p *Pack) Version() string { return p.manifest.Version }

// Dim is the embeddings' dimension.
func (p *Pack) Dim() int { return p.manifest.Embedder.Dimension }

// Cohort is what the pack knows of strangers' embeddings. Read-only; nil for an uncalibrated pack.
func (p *Pack) Cohort() *face.Cohort { return p.cohort }

// Calibration is what the pack's normalised scores mean. Read-only; nil for an uncalibrated pack.
func (p *Pack) Calibration() *face.Calibration { return p.calibration }

// Scale is where the figures lie that searches of video compare. Read-only; nil for an uncalibrated pack.
func (p *Pack) Scale() *face.Scale { return p.scale }

// Manifest describes the pack: files, licences, models. Read-only.
func (p *Pack) Manifest() *Manifest { return p.manifest }

// Dir is the folder that the pack was read from.
func (p *Pack) Dir() string { return p.dir }

func readVerified(root *os.Root, f FileSpec) ([]byte, error) {
	content, err := readFile(root, f.Path, f.Size)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(content); int64(len(content)) != f.Size || hex.EncodeToString(sum[:]) != f.SHA256 {
		return nil, fmt.Errorf("file %s is not the one that the manifest describes (size or sha256 differs); "+
			"'make setup' builds the default pack anew", f.Path)
	}
	return content, nil
}

// readFile reads a regular file of at most limit bytes.
func readFile(root *os.Root, name string, limit int64) (content []byte, err error) {
	info, err := root.Stat(name) // before opening: opening a pipe would wait for its other end
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", name, limit)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content = make([]byte, info.Size())
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}
