package sqlstore

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// The types below are how values lie in columns, for writing (Value) and for reading (Scan).

// uuid is an id as its 16 bytes.
type uuid face.ID

// Value is the bytes.
func (u uuid) Value() (driver.Value, error) { return u[:], nil }

// Scan reads the bytes.
func (u *uuid) Scan(src any) error {
	b, err := bytesOf(src)
	if err == nil && len(b) != len(u) {
		err = fmt.Errorf("an id has %d bytes and not %d", len(b), len(u))
	}
	copy(u[:], b)
	return err
}

// millis is a time in milliseconds since 1970, 0 for the zero time.
type millis time.Time

// Value is the milliseconds.
func (m millis) Value() (driver.Value, error) {
	if time.Time(m).IsZero() {
		return int64(0), nil
	}
	return time.Time(m).UnixMilli(), nil
}

// Scan reads the milliseconds; NULL is the zero time.
func (m *millis) Scan(src any) error {
	ms, ok := src.(int64)
	switch {
	case src != nil && !ok:
		return fmt.Errorf("a time is a %T and not an integer", src)
	case ms == 0:
		*m = millis{}
	default:
		*m = millis(time.UnixMilli(ms).UTC())
	}
	return nil
}

// digest is a digest's 64 bits as a number with a sign.
type digest face.Digest

// Value is the number.
func (d digest) Value() (driver.Value, error) { return int64(d), nil } //nolint:gosec // and back

// Scan reads the number.
func (d *digest) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a digest is a %T and not an integer", src)
	}
	*d = digest(n) //nolint:gosec // as it was
	return nil
}

// optional is a string that is NULL when it is empty.
type optional string

// Value is the string or NULL.
func (o optional) Value() (driver.Value, error) {
	if o == "" {
		return nil, nil //nolint:nilnil // NULL is a nil value
	}
	return string(o), nil
}

// Scan reads a string or NULL.
func (o *optional) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*o = ""
	case string:
		*o = optional(v)
	case []byte:
		*o = optional(v)
	default:
		return fmt.Errorf("a text is a %T", src)
	}
	return nil
}

// readable is a text that every engine takes, also where somebody else's words are in it: PostgreSQL refuses the character 0, and
// what is no UTF-8.
func readable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// blob is bytes that are never NULL.
type blob []byte

// Value is the bytes, empty for nil.
func (b blob) Value() (driver.Value, error) {
	if b == nil {
		return []byte{}, nil
	}
	return []byte(b), nil
}

// Scan copies the bytes; empty ones are not nil, which says that there are none.
func (b *blob) Scan(src any) error {
	v, err := bytesOf(src)
	*b = append(blob{}, v...)
	return err
}

// floats is float32 values, little-endian, one after another.
type floats []float32

// Value is the bytes.
func (f floats) Value() (driver.Value, error) {
	b := make([]byte, 0, 4*len(f))
	for _, v := range f {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b, nil
}

// Scan reads the values into the slice that is there, if it is long enough.
func (f *floats) Scan(src any) error {
	b, err := bytesOf(src)
	if err == nil && len(b)%4 != 0 {
		err = fmt.Errorf("%d bytes are no float32 values", len(b))
	}
	if err != nil {
		return err
	}
	if n := len(b) / 4; cap(*f) < n {
		*f = make(floats, n)
	}
	*f = (*f)[:len(b)/4]
	for i := range *f {
		(*f)[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return nil
}

// detection is a face as it was seen, as 20 float32 values: left, top, width and height of the box; x and y of each landmark;
// confidence; roll, yaw and pitch; brightness and sharpness.
type detection face.Detection

const detectionValues = 4 + 2*len(face.Landmarks{}) + 1 + 3 + 2

// Value is the bytes of the values.
func (d detection) Value() (driver.Value, error) {
	v := make(floats, 0, detectionValues)
	v = append(v, d.Box.Left, d.Box.Top, d.Box.Width, d.Box.Height)
	for _, p := range d.Landmarks {
		v = append(v, p.X, p.Y)
	}
	v = append(v, d.Confidence, d.Pose.Roll, d.Pose.Yaw, d.Pose.Pitch, d.Quality.Brightness, d.Quality.Sharpness)
	return v.Value()
}

// Scan reads the bytes of the values.
func (d *detection) Scan(src any) error {
	var v floats
	if err := v.Scan(src); err != nil {
		return err
	}
	if len(v) != detectionValues {
		return fmt.Errorf("a detection has %d values and not %d", len(v), detectionValues)
	}
	d.Box = face.Box{Left: v[0], Top: v[1], Width: v[2], Height: v[3]}
	v = v[4:]
	for i := range d.Landmarks {
		d.Landmarks[i] = face.Point{X: v[2*i], Y: v[2*i+1]}
	}
	v = v[2*len(d.Landmarks):]
	d.Confidence = v[0]
	d.Pose = face.Pose{Roll: v[1], Yaw: v[2], Pitch: v[3]}
	d.Quality = face.Quality{Brightness: v[4], Sharpness: v[5]}
	return nil
}

// document is what a pointer points to, as JSON text; JSON's null is NULL.
type document struct{ of any }

// Value is the JSON or NULL.
func (d document) Value() (driver.Value, error) {
	b, err := json.Marshal(d.of)
	if err != nil || string(b) == "null" {
		return nil, err
	}
	return string(b), nil
}

// Scan reads JSON or NULL.
func (d document) Scan(src any) error {
	b, err := bytesOf(src)
	if err != nil {
		return err
	}
	if b == nil {
		b = []byte("null")
	}
	return json.Unmarshal(b, d.of)
}

func bytesOf(src any) ([]byte, error) {
	switch v := src.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	case nil:
		// Drivers may give an empty blob as nil.
		return nil, nil
	default:
		return nil, fmt.Errorf("a blob is a %T", src)
	}
}
