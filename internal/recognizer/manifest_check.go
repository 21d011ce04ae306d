package recognizer

import (
	"errors"
	"fmt"
	"math"
)

// check says everything that is wrong with the manifest.
func (m *Manifest) check() error {
	errs := []error{
		must(m.Format == 1, "format %d is not 1: this program is too old or too new for the pack", m.Format),
		must(validName(m.Name), "name %q is not made of lower-case letters, digits and hyphens", m.Name),
		must(validVersion(m.Version), "version %q is not digits and dots", m.Version),
		m.checkFiles(),
		m.inDetector(),
		m.inEmbedder(),
	}
	if m.Landmarks != nil {
		errs = append(errs, m.inLandmarks())
	} else {
		errs = append(errs, must(m.Detector.hasPoints(), "landmarks: a %q detector gives none", m.Detector.Kind))
	}
	if m.Cohort != nil {
		errs = append(errs, m.checkFile("cohort", m.Cohort.File),
			must(m.Cohort.People > 0, "cohort: of %d people", m.Cohort.People), text("cohort source", m.Cohort.Source))
	}
	if m.Calibration != nil {
		errs = append(errs, m.Calibration.check())
	}
	if m.Tracklets != nil {
		errs = append(errs, text("tracklets source", m.Tracklets.Source), inPart("tracklets", m.Tracklets.scale().Check()))
	}
	if m.Attributes != nil {
		errs = append(errs, m.inAttributes())
	}
	return errors.Join(errs...)
}

func (m *Manifest) checkFiles() error {
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return fmt.Errorf("files: %d are not between 1 and %d", len(m.Files), maxFiles)
	}
	var errs []error
	seen := map[string]bool{}
	for _, f := range m.Files {
		errs = append(errs,
			must(validPath(f.Path), "file %q does not lie inside the pack", f.Path),
			must(!seen[f.Path], "file %q is listed twice", f.Path),
			must(f.Size > 0 && f.Size <= maxFileSize, "file %q: size %d is not between 1 and %d", f.Path, f.Size, maxFileSize),
			must(validHash(f.SHA256), "file %q: sha256 is not 64 lower-case hex digits", f.Path),
			text("licence of "+f.Path, f.Licence), text("source of "+f.Path, f.Source),
			must(len(f.Changes) <= maxText, "file %q: changes are too long", f.Path))
		seen[f.Path] = true
	}
	return errors.Join(errs...)
}

func (m *Manifest) checkFile(use, name string) error {
	return must(m.File(name) != nil, "%s: file %q is not among files", use, name)
}

func (m *Manifest) inDetector() error {
	d := &m.Detector
	scores, objects, points := 3, 0, 3
	switch d.Kind {
	case kindUltraFace:
		scores, points = 1, 0
	case kindSCRFD:
	case kindYuNet:
		objects = 3
	default:
		return fmt.Errorf("detector: kind %q is not one of %q, %q, %q", d.Kind, kindUltraFace, kindSCRFD, kindYuNet)
	}
	return errors.Join(
		m.checkFile("detector", d.File),
		d.Input.check("detector", true),
		outputs("scores", d.Scores, scores), outputs("objects", d.Objects, objects),
		outputs("boxes", d.Boxes, scores), outputs("points", d.Points, points),
		must(ratio(d.MinScore), "detector: minScore %v is not between 0 and 1", d.MinScore),
		must(ratio(d.MaxIoU), "detector: maxIoU %v is not between 0 and 1", d.MaxIoU),
	)
}

func (d *DetectorSpec) hasPoints() bool { return d.Kind == kindSCRFD || d.Kind == kindYuNet }

func (m *Manifest) inLandmarks() error {
	l := m.Landmarks
	return errors.Join(
		must(l.Kind == kindPoints68, "landmarks: kind %q is not %q", l.Kind, kindPoints68),
		m.checkFile("landmarks", l.File),
		l.Input.check("landmarks", false),
		must(l.Input.Width > 0 && l.Input.Width <= 512 && l.Input.Width == l.Input.Height,
			"landmarks: an input of %d x %d is not a square of at most 512", l.Input.Width, l.Input.Height),
		outputs("landmarks", []string{l.Output}, 1),
	)
}

func (m *Manifest) inEmbedder() error {
	e := &m.Embedder
	template := must(e.Template[0][0] < e.Template[1][0], "embedder: the template's left eye is not on the left")
	for i, p := range e.Template {
		template = errors.Join(template, must(p[0] > 0 && p[0] < 112 && p[1] > 0 && p[1] < 112,
			"embedder: template point %d lies outside the crop", i))
	}
	return errors.Join(
		must(e.Kind == kindArcFace, "embedder: kind %q is not %q", e.Kind, kindArcFace),
		m.checkFile("embedder", e.File),
		e.Input.check("embedder", true),
		must(e.Input.Width == 0 && e.Input.Height == 0, "embedder: the input is 112 x 112, width and height are not said"),
		outputs("embedder", []string{e.Output}, 1),
		must(e.Dimension >= 2 && e.Dimension <= maxDimension, "embedder: dimension %d is not between 2 and %d",
			e.Dimension, maxDimension),
		must(number(e.MinNorm) && e.MinNorm >= 0, "embedder: minNorm %v is not a length", e.MinNorm),
		template,
	)
}

func (i *InputSpec) check(use string, coloured bool) error {
	colours := i.Colours == coloursGrey
	if coloured {
		colours = i.Colours == coloursRGB || i.Colours == coloursBGR
	}
	return errors.Join(
		text(use+" input name", i.Name),
		must(colours, "%s: colours %q do not go with this kind", use, i.Colours),
		must(number(i.Mean) && number(i.Scale) && i.Scale != 0, "%s: mean %v and scale %v", use, i.Mean, i.Scale),
		must((i.Width == 0) == (i.Height == 0) && i.Width >= 0 && i.Width <= maxInputSide && i.Height >= 0 &&
			i.Height <= maxInputSide, "%s: an input of %d x %d pixels", use, i.Width, i.Height),
	)
}

func (c *CalibrationSpec) check() error {
	errs := []error{text("calibration source", c.Source), must(len(c.Points) <= 100, "calibration: too many points")}
	for _, p := range c.Points {
		errs = append(errs, must(!math.IsInf(p.Normalised, 0) && p.Normalised < 1e6, "calibration: point at %v", p.Normalised))
	}
	if c.Groups != nil {
		errs = append(errs, c.Groups.check())
	}
	return errors.Join(append(errs, c.calibration().Check())...)
}

func (g *GroupsSpec) check() error {
	errs := []error{
		text("groups source", g.Source),
		must(len(g.Similarities) > 0 && len(g.Similarities) <= 16, "groups: %d similarities", len(g.Similarities)),
		must(len(g.Rows) > 0 && len(g.Rows) <= 100, "groups: %d rows", len(g.Rows)),
	}
	for _, s := range g.Similarities {
		errs = append(errs, must(s > 0 && s <= 100, "groups: similarity %v is not between 0 and 100", s))
	}
	for _, r := range g.Rows {
		errs = append(errs, text("group name", r.Name),
			must(r.People > 1 && r.Pairs > 0, "group %q: %d pairs of %d people", r.Name, r.Pairs, r.People),
			must(len(r.Rates) == len(g.Similarities), "group %q: %d rates for %d similarities", r.Name, len(r.Rates), len(g.Similarities)))
		for _, v := range r.Rates {
			errs = append(errs, must(v >= 0 && v <= 1, "group %q: rate %v is not between 0 and 1", r.Name, v))
		}
	}
	return errors.Join(errs...)
}

// inPart says which part of the manifest an error is of.
func inPart(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}

func outputs(use string, names []string, want int) error {
	if len(names) != want {
		return fmt.Errorf("%s: %d outputs, want %d", use, len(names), want)
	}
	for _, n := range names {
		if err := text(use+" output name", n); err != nil {
			return err
		}
	}
	return nil
}

func must(holds bool, format string, args ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func text(what, s string) error {
	return must(s != "" && len(s) <= maxText, "%s is empty or longer than %d bytes", what, maxText)
}

func ratio(v float32) bool { return v > 0 && v < 1 }

func number(v float32) bool { return v > -1e6 && v < 1e6 }
