package recognizer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/onnx"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// DefaultMinFaceHeight is the least height of a detection in pixels of the full picture: below it embeddings of
// strangers grow alike (impostor mean .01 at 40 pixels, .10 at 20).
const DefaultMinFaceHeight = 24

// DefaultMinEnrolHeight is the least height of a face to enrol: from 40 pixels up LFW's pairs are told apart as well as
// at full size (99.2 %), at 30 worse (97 %).
const DefaultMinEnrolHeight = 40

// Options of a Recognizer. The zero value means the defaults.
type Options struct {
	// MinFaceHeight is the least height of a detection in pixels of the full picture; 0 means DefaultMinFaceHeight.
	// Lowering it finds smaller faces and names more of them wrongly.
	MinFaceHeight int
	// MinEnrolHeight is the least height of a face to enrol, in pixels of the photo; 0 means DefaultMinEnrolHeight.
	MinEnrolHeight int
}

// Recognizer finds faces in pictures and embeds them. It owns one set of model sessions and its buffers and belongs to
// one goroutine; once its buffers have grown to the pictures in use, a frame allocates nothing but the embeddings it
// hands out.
type Recognizer struct {
	pack       *Pack
	options    Options
	detector   *detector
	landmarker *landmarker // nil where the detector gives the points
	embedder   *embedder
	library    *onnx.Library // for the models that are loaded late
	attributer attributer
	warper     *raster.Warper
	template   [5]face.Point // in pixel indices of the crop

	// photoSides are the long sides in pixels at which a photo is searched for faces. At one scale alone a close-up yields
	// parts of a face (320 finds the whole) or a group loses its small ones (640 finds them). They descend; a photo is
	// never enlarged, which makes parts of faces look like faces.
	photoSides [2]int

	cropView   face.Picture // a crop as a picture; its plane is set while in use
	crop       face.Crop
	scaler     *raster.Scaler
	luma       [face.CropSide * face.CropSide]byte
	shape      shape68         // of the face at hand, in pixels of its picture
	second     shape68         // the same asked differently
	places     []face.PixelBox // to look closer at
	looked     []place         // that were
	detections []face.Detection
}

// New loads the pack's models for one goroutine.
func (r *Runtime) New(pack *Pack, opts Options) (_ *Recognizer, err error) {
	if opts.MinFaceHeight < 0 || opts.MinEnrolHeight < 0 {
		return nil, fmt.Errorf("new recognizer: least face heights of %d and %d pixels", opts.MinFaceHeight, opts.MinEnrolHeight)
	}
	opts.MinFaceHeight = cmp.Or(opts.MinFaceHeight, DefaultMinFaceHeight)
	opts.MinEnrolHeight = cmp.Or(opts.MinEnrolHeight, DefaultMinEnrolHeight)
	rec := &Recognizer{
		pack: pack, options: opts, library: r.library, warper: raster.NewWarper(), scaler: raster.NewScaler(), photoSides: [2]int{640, 320},
		cropView: face.Picture{Width: face.CropSide, Height: face.CropSide, Layout: face.RGB, Strides: [3]int{3 * face.CropSide}},
	}
	for i, p := range pack.manifest.Embedder.Template {
		rec.template[i] = face.Point{X: p[0], Y: p[1]}
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("new recognizer: %w", errors.Join(err, rec.Close()))
		}
	}()
	if rec.detector, err = newDetector(r.library, pack); err != nil {
		return nil, err
	}
	if pack.manifest.Landmarks != nil {
		if rec.landmarker, err = newLandmarker(r.library, pack); err != nil {
			return nil, err
		}
	}
	if rec.embedder, err = newEmbedder(r.library, pack); err != nil {
		return nil, err
	}
	return rec, nil
}

// Close frees the models. It may be called more than once.
func (r *Recognizer) Close() error {
	var err error
	if r.detector != nil {
		err = r.detector.close()
	}
	if r.landmarker != nil {
		err = errors.Join(err, r.landmarker.close())
	}
	if r.embedder != nil {
		err = errors.Join(err, r.embedder.close())
	}
	return errors.Join(err, r.attributer.close())
}

// Detect returns the faces of a frame, best confidence first: found in its small picture, and small ones by a closer look at
// the places where there may be some, measured in the full one. Detections that are too small or cannot be faces are left out. The
// slice is valid until the next call.
func (r *Recognizer) Detect(ctx context.Context, f *face.Frame, look face.Look) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range [2]*face.Picture{&f.Full, &f.Small} {
		if err := p.Check(); err != nil {
			return nil, fmt.Errorf("detect faces: %w", err)
		}
	}
	r.detector.found = r.detector.found[:0]
	var err error
	if len(look.Follow) > 0 && r.detector.spec.Input.Width == 0 { // a model of one size saves nothing by looking at a part
		err = r.follow(&f.Full, look.Follow)
	} else {
		err = r.lookAround(f, look.Near)
	}
	if err != nil {
		return nil, err
	}
	if err := r.measureAll(&f.Full, r.detector.suppress()); err != nil {
		return nil, err
	}
	return r.detections, nil
}

// measureAll makes detections of those candidates that can be faces, in pixels of the picture.
func (r *Recognizer) measureAll(p *face.Picture, found []candidate) error {
	r.detections = r.detections[:0]
	for i := range found {
		c := &found[i]
		if c.box.Height() < float32(r.options.MinFaceHeight) {
			continue
		}
		if err := r.points(p, c); err != nil {
			return err
		}
		ok, err := r.believes(p, c)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if d, aligned := r.measure(p, c); aligned {
			r.detections = append(r.detections, d)
		}
	}
	return nil
}

// points finds the candidate's landmarks unless the detector gave them.
func (r *Recognizer) points(p *face.Picture, c *candidate) error {
	if r.landmarker == nil {
		return nil
	}
	if err := r.landmarker.find(p, c.box, &r.shape); err != nil {
		return err
	}
	c.points = r.shape.five()
	return nil
}

// believes says whether a frame's candidate can be a face.
func (r *Recognizer) believes(p *face.Picture, c *candidate) (bool, error) {
	if r.landmarker == nil {
		return r.pointsPlausible(c.box, &c.points), nil
	}
	if c.score >= sureScore {
		return true, nil
	}
	figure, err := r.plausibility(p, c.box, c.score)
	return figure >= minPlausible, err
}

// measure makes a detection of a candidate with points, all in pixels of the picture. It is false where the points
// coincide.
func (r *Recognizer) measure(p *face.Picture, c *candidate) (face.Detection, bool) {
	d := face.Detection{
		Box: c.box.Ratios(p.Width, p.Height), Confidence: 100 * min(max(c.score, 0), 1), Pose: poseOf(c.points),
	}
	for i, q := range c.points {
		// Models learned their points as pixel indices. Half a pixel matters: taken as coordinates, LFW's pairs at 40 pixels
		// a face have a genuine mean of .641 instead of .644 and an impostor mean of .018 instead of .016.
		d.Landmarks[i] = face.Point{X: (q.X + 0.5) / float32(p.Width), Y: (q.Y + 0.5) / float32(p.Height)}
	}
	m, ok := r.alignment(p, &d.Landmarks)
	if ok {
		r.warper.Grey(r.luma[:], face.CropSide, p, m)
		d.Quality = qualityOf(r.luma[:])
	}
	return d, ok
}
