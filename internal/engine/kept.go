package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
	"github.com/spotter-video/spotter/internal/video/wire"
)

// What a job's plan and segments are kept as: a byte that says the version of the form, then JSON of the records below. Names
// that are in databases do not change with the code's, so the records are written here; a golden test holds them. Vectors and
// detections are float32 values, little-endian, one after another.
//
// Before there was a version a plan was bare JSON, which begins with '{', and a segment bare gob, which begins with the length of
// the definition of a type with names: some fifty bytes. So a first byte below [firstUnversioned] is a version.
const (
	formVersion      = 1
	firstUnversioned = 16
)

// kept puts the version before a record.
func kept(what string, record any) ([]byte, error) {
	data, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", what, err)
	}
	return append([]byte{formVersion}, data...), nil
}

// versioned says whether data has a version before it, and reads the record if so. A version that this program does not know is
// a newer program's: that one can go on with it.
func versioned(what string, data []byte, record any) (bool, error) {
	switch {
	case len(data) == 0 || data[0] == 0:
		return false, fmt.Errorf("read %s: it is damaged", what)
	case data[0] >= firstUnversioned:
		return false, nil
	case data[0] != formVersion:
		return false, service.Errorf(service.Elsewhere, "A newer Spotter has written the %s: it has the form %d, and this one reads up "+
			"to %d.", what, data[0], formVersion)
	}
	if err := json.Unmarshal(data[1:], record); err != nil {
		return false, fmt.Errorf("read %s: %w", what, err)
	}
	return true, nil
}

// planRecord is [video.Plan] as it is kept.
type planRecord struct {
	Codec      string  `json:"codec"`
	Format     string  `json:"format"`
	Duration   int64   `json:"duration_ns"`
	FrameRate  float64 `json:"frame_rate"`
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	FullRange  bool    `json:"full_range,omitempty"`
	Interlaced bool    `json:"interlaced,omitempty"`
	Rotation   int     `json:"rotation,omitempty"`

	Segments []cutRecord  `json:"segments"`
	Warnings []string     `json:"warnings,omitempty"`
	Videos   []int32      `json:"videos"`
	Damage   damageRecord `json:"damage"`
	Track    trackRecord  `json:"track"`
}

// cutRecord is a segment of a plan: from and to in nanoseconds; from and to in ticks; seek, key time, seek position; shift, begin,
// stop. A list of numbers, as a long video has a thousand.
type cutRecord [10]int64

type trackRecord struct {
	Container   uint8  `json:"container"`
	Stream      int32  `json:"stream"`
	ClockNum    int32  `json:"clock_num"`
	ClockDen    int32  `json:"clock_den"`
	ClockOrigin int64  `json:"clock_origin,omitempty"`
	ClockFirst  int64  `json:"clock_first,omitempty"`
	Width       int32  `json:"width"`
	Height      int32  `json:"height"`
	Orientation uint8  `json:"orientation,omitempty"`
	Untimed     bool   `json:"untimed,omitempty"`
	Deep        bool   `json:"deep,omitempty"`
	Bytes       int64  `json:"bytes"`
	Base        int64  `json:"base,omitempty"`
	Until       int64  `json:"until,omitempty"`
	RawRate     int32  `json:"raw_rate,omitempty"`
	Tool        bool   `json:"tool,omitempty"`
	Interlaced  bool   `json:"interlaced,omitempty"`
	Space       string `json:"space,omitempty"`
}

type damageRecord struct {
	Refused   int64 `json:"refused,omitempty"`
	Missing   int64 `json:"missing,omitempty"`
	Backwards int64 `json:"backwards,omitempty"`
	Corrupt   int64 `json:"corrupt,omitempty"`
	Concealed int64 `json:"concealed,omitempty"`
	Lost      int64 `json:"lost_ns,omitempty"`
	Clocks    bool  `json:"clocks,omitempty"`
	Truncated bool  `json:"truncated,omitempty"`
}

func damageRecordOf(d video.Damage) damageRecord {
	return damageRecord{
		Refused: d.Refused, Missing: d.Missing, Backwards: d.Backwards, Corrupt: d.Corrupt, Concealed: d.Concealed,
		Lost: int64(d.Lost), Clocks: d.Clocks, Truncated: d.Truncated,
	}
}

func (r damageRecord) damage() video.Damage {
	return video.Damage{
		Refused: r.Refused, Missing: r.Missing, Backwards: r.Backwards, Corrupt: r.Corrupt, Concealed: r.Concealed,
		Lost: time.Duration(r.Lost), Clocks: r.Clocks, Truncated: r.Truncated,
	}
}

func trackRecordOf(t *video.Track) trackRecord {
	return trackRecord{
		Container: uint8(t.Container), Stream: t.Stream,
		ClockNum: t.Clock.Num, ClockDen: t.Clock.Den, ClockOrigin: t.Clock.Origin, ClockFirst: t.Clock.First,
		Width: t.Geometry.Width, Height: t.Geometry.Height, Orientation: uint8(t.Geometry.Orientation),
		Untimed: t.Untimed, Deep: t.Deep, Bytes: t.Bytes, Base: t.Base, Until: t.Until, RawRate: t.RawRate,
		Tool: t.Tool, Interlaced: t.Interlaced, Space: t.Space,
	}
}

func (r *trackRecord) track() video.Track {
	return video.Track{
		Container: wire.Container(r.Container), Stream: r.Stream,
		Clock:    wire.Clock{Num: r.ClockNum, Den: r.ClockDen, Origin: r.ClockOrigin, First: r.ClockFirst},
		Geometry: wire.Geometry{Width: r.Width, Height: r.Height, Orientation: wire.Orientation(r.Orientation)},
		Untimed:  r.Untimed, Deep: r.Deep, Bytes: r.Bytes, Base: r.Base, Until: r.Until, RawRate: r.RawRate,
		Tool: r.Tool, Interlaced: r.Interlaced, Space: r.Space,
	}
}

func encodePlan(p *video.Plan) ([]byte, error) {
	r := planRecord{
		Codec: p.Info.Codec, Format: p.Info.Format, Duration: int64(p.Info.Duration), FrameRate: p.Info.FrameRate,
		Width: p.Info.Width, Height: p.Info.Height, FullRange: p.Info.FullRange, Interlaced: p.Info.Interlaced,
		Rotation: p.Info.Rotation,
		Segments: make([]cutRecord, len(p.Segments)), Warnings: p.Warnings, Videos: p.Videos,
		Damage: damageRecordOf(p.Damage), Track: trackRecordOf(&p.Track),
	}
	for i, s := range p.Segments {
		c := &s.Place
		r.Segments[i] = cutRecord{
			int64(s.From), int64(s.To), c.From, c.To, int64(c.Seek), c.KeyTime, c.SeekPos, c.Shift, c.Begin, c.Stop,
		}
	}
	return kept("plan", &r)
}

func decodePlan(data []byte) (*video.Plan, error) {
	var r planRecord
	ours, err := versioned("plan", data, &r)
	if err != nil {
		return nil, err
	}
	if ours {
		return r.plan()
	}
	p := new(video.Plan)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

func (r *planRecord) plan() (*video.Plan, error) {
	p := &video.Plan{
		Info: face.VideoInfo{
			Codec: r.Codec, Format: r.Format, Duration: time.Duration(r.Duration), FrameRate: r.FrameRate,
			Width: r.Width, Height: r.Height, FullRange: r.FullRange, Interlaced: r.Interlaced, Rotation: r.Rotation,
		},
		Segments: make([]video.Segment, len(r.Segments)), Warnings: r.Warnings, Videos: r.Videos,
		Damage: r.Damage.damage(), Track: r.Track.track(),
	}
	for i, c := range r.Segments {
		seek := wire.SeekMode(c[4]) //nolint:gosec // compared below
		if int64(seek) != c[4] {
			return nil, fmt.Errorf("read plan: segment %d is reached in the way %d, which there is not", i, c[4])
		}
		p.Segments[i] = video.Segment{
			Index: i, From: time.Duration(c[0]), To: time.Duration(c[1]),
			Place: wire.Segment{
				From: c[2], To: c[3], Seek: seek, KeyTime: c[5], SeekPos: c[6], Shift: c[7], Begin: c[8], Stop: c[9],
			},
		}
	}
	return p, nil
}

// segmentData is what is kept of a segment until the job is finished. Before there was a version it was kept as it is here.
type segmentData struct {
	Tracklets search.Tracklets
	Damage    video.Damage
}

type segmentRecord struct {
	Stretch   int              `json:"stretch"`
	Tracklets []trackletRecord `json:"tracklets"`
	First     []byte           `json:"first,omitempty"`
	Last      []byte           `json:"last,omitempty"`
	Frames    int              `json:"frames"`
	Faces     int              `json:"faces"`
	Upright   [4]int           `json:"upright"`
	Damage    damageRecord     `json:"damage"`
}

type trackletRecord struct {
	Track        int     `json:"track"`
	Model        string  `json:"model,omitempty"`
	Vector       []byte  `json:"vector,omitempty"`
	Weight       float64 `json:"weight"`
	Observations []byte  `json:"observations"` // one [observationRecord] after another
	// Attributes are those of each observation; none where they were not asked for.
	Attributes []*lookRecord `json:"attributes,omitempty"`
}

type observationRecord struct {
	Time       int64      // nanoseconds
	Box        [4]float32 // left, top, width, height
	Landmarks  [10]float32
	Confidence float32
	Pose       [3]float32 // roll, yaw, pitch
	Quality    [2]float32 // brightness, sharpness
}

const observationSize = 8 + 20*4

// lookRecord is [face.Attributes] as it is kept.
type lookRecord struct {
	Age       *[2]int         `json:"age,omitempty"` // low, high
	Gender    *traitRecord    `json:"female,omitempty"`
	Smile     *traitRecord    `json:"smile,omitempty"`
	EyesOpen  *traitRecord    `json:"eyes_open,omitempty"`
	MouthOpen *traitRecord    `json:"mouth_open,omitempty"`
	Emotions  []emotionRecord `json:"emotions,omitempty"`
	Further   []byte          `json:"further,omitempty"`
}

type traitRecord struct {
	Value      bool    `json:"value"`
	Confidence float32 `json:"confidence"`
}

type emotionRecord struct {
	Type       string  `json:"type"`
	Confidence float32 `json:"confidence"`
}

func encodeSegment(d *segmentData) ([]byte, error) {
	t := &d.Tracklets
	r := segmentRecord{
		Stretch: t.Stretch, Tracklets: make([]trackletRecord, len(t.List)), First: t.First, Last: t.Last,
		Frames: t.Frames, Faces: t.Faces, Upright: t.Upright, Damage: damageRecordOf(d.Damage),
	}
	for i := range t.List {
		var err error
		if r.Tracklets[i], err = trackletRecordOf(&t.List[i]); err != nil {
			return nil, fmt.Errorf("encode segment: %w", err)
		}
	}
	return kept("segment", &r)
}

func trackletRecordOf(t *search.Tracklet) (trackletRecord, error) {
	r := trackletRecord{Track: t.Track, Model: string(t.Embedding.Model), Vector: floatBytes(t.Embedding.Vector), Weight: t.Weight}
	for i := range t.Observations {
		o := &t.Observations[i]
		d := &o.Detection
		record := observationRecord{
			Time: int64(o.Time), Box: [4]float32{d.Box.Left, d.Box.Top, d.Box.Width, d.Box.Height}, Confidence: d.Confidence,
			Pose: [3]float32{d.Pose.Roll, d.Pose.Yaw, d.Pose.Pitch}, Quality: [2]float32{d.Quality.Brightness, d.Quality.Sharpness},
		}
		for n, p := range d.Landmarks {
			record.Landmarks[2*n], record.Landmarks[2*n+1] = p.X, p.Y
		}
		var err error
		if r.Observations, err = binary.Append(r.Observations, binary.LittleEndian, &record); err != nil {
			return r, err
		}
		if o.Attributes != nil && r.Attributes == nil {
			r.Attributes = make([]*lookRecord, len(t.Observations))
		}
		if o.Attributes != nil {
			r.Attributes[i] = lookRecordOf(o.Attributes)
		}
	}
	return r, nil
}

func lookRecordOf(a *face.Attributes) *lookRecord {
	r := &lookRecord{Smile: (*traitRecord)(a.Smile), EyesOpen: (*traitRecord)(a.EyesOpen), MouthOpen: (*traitRecord)(a.MouthOpen)}
	if a.Age != nil {
		r.Age = &[2]int{a.Age.Low, a.Age.High}
	}
	if a.Gender != nil {
		r.Gender = &traitRecord{a.Gender.Female, a.Gender.Confidence}
	}
	for _, e := range a.Emotions {
		r.Emotions = append(r.Emotions, emotionRecord{string(e.Type), e.Confidence})
	}
	if a.Further != nil {
		values := make([]float32, 0, 2*len(a.Further))
		for _, p := range a.Further {
			values = append(values, p.X, p.Y)
		}
		r.Further = floatBytes(values)
	}
	return r
}

func decodeSegment(data []byte) (*segmentData, error) {
	var r segmentRecord
	ours, err := versioned("segment", data, &r)
	if err != nil {
		return nil, err
	}
	d := new(segmentData)
	if !ours {
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(d); err != nil {
			return nil, fmt.Errorf("read segment: %w", err)
		}
		return d, nil
	}
	d.Damage = r.Damage.damage()
	d.Tracklets = search.Tracklets{Stretch: r.Stretch, First: r.First, Last: r.Last, Frames: r.Frames, Faces: r.Faces, Upright: r.Upright}
	for i := range r.Tracklets {
		t, err := r.Tracklets[i].tracklet()
		if err != nil {
			return nil, fmt.Errorf("read segment: tracklet %d: %w", i, err)
		}
		d.Tracklets.List = append(d.Tracklets.List, t)
	}
	return d, nil
}

func (r *trackletRecord) tracklet() (t search.Tracklet, err error) {
	t.Track, t.Weight = r.Track, r.Weight
	t.Embedding.Model = face.ModelID(r.Model)
	if t.Embedding.Vector, err = floatsOf(r.Vector); err != nil {
		return t, err
	}
	n := len(r.Observations) / observationSize
	if len(r.Observations)%observationSize != 0 || r.Attributes != nil && len(r.Attributes) != n {
		return t, errors.New("its observations are damaged")
	}
	records := make([]observationRecord, n)
	if _, err = binary.Decode(r.Observations, binary.LittleEndian, records); err != nil {
		return t, err
	}
	t.Observations = make([]search.Observation, n)
	for i := range records {
		t.Observations[i] = search.Observation{Time: time.Duration(records[i].Time), Detection: records[i].detection()}
		if r.Attributes == nil {
			continue
		}
		if t.Observations[i].Attributes, err = r.Attributes[i].attributes(); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (r *observationRecord) detection() face.Detection {
	d := face.Detection{
		Box:        face.Box{Left: r.Box[0], Top: r.Box[1], Width: r.Box[2], Height: r.Box[3]},
		Confidence: r.Confidence, Pose: face.Pose{Roll: r.Pose[0], Yaw: r.Pose[1], Pitch: r.Pose[2]},
		Quality: face.Quality{Brightness: r.Quality[0], Sharpness: r.Quality[1]},
	}
	for i := range d.Landmarks {
		d.Landmarks[i] = face.Point{X: r.Landmarks[2*i], Y: r.Landmarks[2*i+1]}
	}
	return d
}

func (r *lookRecord) attributes() (*face.Attributes, error) {
	if r == nil {
		return nil, nil //nolint:nilnil // nothing is known of the face
	}
	a := &face.Attributes{Smile: (*face.Trait)(r.Smile), EyesOpen: (*face.Trait)(r.EyesOpen), MouthOpen: (*face.Trait)(r.MouthOpen)}
	if r.Age != nil {
		a.Age = &face.AgeRange{Low: r.Age[0], High: r.Age[1]}
	}
	if r.Gender != nil {
		a.Gender = &face.Gender{Female: r.Gender.Value, Confidence: r.Gender.Confidence}
	}
	for _, e := range r.Emotions {
		a.Emotions = append(a.Emotions, face.Emotion{Type: face.EmotionType(e.Type), Confidence: e.Confidence})
	}
	if r.Further == nil {
		return a, nil
	}
	values, err := floatsOf(r.Further)
	if a.Further = new(face.FurtherLandmarks); err == nil && len(values) != 2*len(a.Further) {
		err = fmt.Errorf("%d values are no further landmarks", len(values))
	}
	if err != nil {
		return nil, err
	}
	for i := range a.Further {
		a.Further[i] = face.Point{X: values[2*i], Y: values[2*i+1]}
	}
	return a, nil
}

// floatBytes is float32 values, little-endian, one after another; nil for nil.
func floatBytes(values []float32) []byte {
	if values == nil {
		return nil
	}
	b := make([]byte, 0, 4*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func floatsOf(b []byte) ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, fmt.Errorf("%d bytes are no float32 values", len(b))
	}
	if len(b) == 0 {
		return nil, nil
	}
	values := make([]float32, len(b)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return values, nil
}

// encodePortraits is the portraits of a segment's tracklets, apart from the rest, as most who read that want none: a byte that says the
// version of the form, then for each tracklet the quality (float32), the length (uint32) and the JPEG; little-endian.
func encodePortraits(t *search.Tracklets) []byte {
	out := []byte{formVersion}
	for i := range t.List {
		x := &t.List[i]
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x.PortraitQuality))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(x.Portrait))) //nolint:gosec // a few kilobytes
		out = append(out, x.Portrait...)
	}
	return out
}

// decodePortraits gives the tracklets their portraits, which refer to data; none where there are none.
func decodePortraits(t *search.Tracklets, data []byte) error {
	const head = 8
	switch {
	case len(data) == 0:
		return nil
	case data[0] != formVersion:
		return service.Errorf(service.Elsewhere, "A newer Spotter has written the portraits: they have the form %d, and this one reads %d.",
			data[0], formVersion)
	}
	data = data[1:]
	for i := range t.List {
		if len(data) < head {
			return errPortraits
		}
		x, n := &t.List[i], binary.LittleEndian.Uint32(data[4:])
		x.PortraitQuality = math.Float32frombits(binary.LittleEndian.Uint32(data))
		if data = data[head:]; uint64(len(data)) < uint64(n) {
			return errPortraits
		}
		if n > 0 {
			x.Portrait = data[:n:n]
		}
		data = data[n:]
	}
	if len(data) > 0 {
		return errPortraits
	}
	return nil
}

var errPortraits = errors.New("read portraits: they are damaged")
