package recognizer

import (
	"context"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer/internal/raster"
)

// DefaultMinFaceHeight is the least height of a detection in pixels of the full picture: below it embeddings of
// strangers grow alike (impostor mean .01 at 40 pixels, .10 at 20).
const DefaultMinFaceHeight = 24

// Options of a Recognizer. The zero value means the defaults.
type Options struct {
	// MinFaceHeight is the least height of a detection in pixels of the full picture; 0 means DefaultMinFaceHeight.
	// Lowering it finds smaller faces and names more of them wrongly.
	MinFaceHeight int
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
	shape      shape68
	detections []face.Detection
}

// New loads the pack's models for one goroutine.
func (r *Runtime) New(pack *Pack, opts Options) (_ *Recognizer, err error) {
	if opts.MinFaceHeight < 0 {
		return nil, fmt.Errorf("new recognizer: a least face height of %d pixels", opts.MinFaceHeight)
	}
	if opts.MinFaceHeight == 0 {
		opts.MinFaceHeight = DefaultMinFaceHeight
	}
	rec := &Recognizer{
		pack: pack, options: opts, warper: raster.NewWarper(), scaler: raster.NewScaler(), photoSides: [2]int{640, 320},
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
	return err
}

// Detect returns the faces of a frame, best confidence first: found in its small picture, measured in the full one.
// Detections that are too small or cannot be faces are left out. The slice is valid until the next call.
func (r *Recognizer) Detect(ctx context.Context, f *face.Frame) ([]face.Detection, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := errors.Join(f.Full.Check(), f.Small.Check()); err != nil {
		return nil, fmt.Errorf("detect faces: %w", err)
	}
	found, err := r.detector.detect(&f.Small)
	if err != nil {
		return nil, err
	}
	r.detections = r.detections[:0]
	for i := range found {
		d, verdict, err := r.measure(&f.Full, &f.Small, &found[i])
		if err != nil {
			return nil, err
		}
		if verdict == "" {
			r.detections = append(r.detections, d)
		}
	}
	return r.detections, nil
}

// measure makes a detection of a candidate, which is in pixels of small, and says why it is no face if it is none.
func (r *Recognizer) measure(full, small *face.Picture, c *candidate) (face.Detection, string, error) {
	d := face.Detection{Box: c.box.Ratios(small.Width, small.Height), Confidence: 100 * c.score}
	box := d.Box.Pixels(full.Width, full.Height)
	if box.Height() < float32(r.options.MinFaceHeight) {
		return d, "too small", nil
	}
	points := c.points
	sx, sy := float32(full.Width)/float32(small.Width), float32(full.Height)/float32(small.Height)
	for i, p := range points {
		points[i] = face.Point{X: p.X * sx, Y: p.Y * sy}
	}
	if r.landmarker != nil {
		if err := r.landmarker.find(full, box, &r.shape); err != nil {
			return d, "", err
		}
		points = r.shape.five()
	}
	for i, p := range points {
		d.Landmarks[i] = face.Point{X: p.X / float32(full.Width), Y: p.Y / float32(full.Height)}
	}
	d.Pose = poseOf(points)
	m, ok := r.alignment(full, &d.Landmarks)
	if !ok {
		return d, "implausible", nil
	}
	r.warper.Grey(r.luma[:], face.CropSide, full, m)
	d.Quality = qualityOf(r.luma[:])
	return d, "", nil
}
