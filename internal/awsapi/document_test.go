package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
)

var (
	anna = face.Enrolled{
		ID: face.ID{0x05, 0x6a}, ImageID: face.ID{0x08, 0xf0}, ExternalID: "ANNA.1",
		Detection: face.Detection{Box: face.Box{Left: 0.59, Top: 0.16, Width: 0.12, Height: 0.25}, Confidence: 100},
	}
	nameless = face.Enrolled{ID: face.ID{0xaa}, ImageID: face.ID{0xbb}}
	gone     = face.ID{0xff}
)

func lookup(id face.ID) (face.Enrolled, bool) {
	for _, e := range []face.Enrolled{anna, nameless} {
		if e.ID == id {
			return e, true
		}
	}
	return face.Enrolled{}, false
}

func finished() FaceSearch {
	detection := face.Detection{
		Box:        face.Box{Left: 0.02, Top: -0.19, Width: 0.28, Height: 0.72},
		Landmarks:  face.Landmarks{{X: 0.1, Y: 0.2}, {X: 0.3, Y: 0.4}, {X: 0.5, Y: 0.6}, {X: 0.7, Y: 0.8}, {X: 0.9, Y: 1.1}},
		Confidence: 99.99,
		Pose:       face.Pose{Roll: 5.07, Yaw: -11.48, Pitch: 15.39},
		Quality:    face.Quality{Brightness: 54.9, Sharpness: 73.3},
	}
	return FaceSearch{
		Status: Succeeded, Name: "a & b/clip.mp4",
		Video: face.VideoInfo{
			Codec: "h264", Format: "QuickTime / MOV", Duration: 67_300_400 * time.Microsecond,
			FrameRate: 30000.0 / 1001, Width: 1920, Height: 1080,
		},
		Sightings: []face.Sighting{
			{Time: 966_600 * time.Microsecond, Person: 1, Detection: detection, Matches: []face.Match{
				{ID: anna.ID, Similarity: 98.44}, {ID: nameless.ID, Similarity: 81}, {ID: gone, Similarity: 80},
			}},
			{Time: 1_000_499 * time.Microsecond, Person: 2, Detection: detection},
		},
		Enrolled: lookup,
	}
}

const personFace = `"BoundingBox":{"Width":0.28,"Height":0.72,"Left":0.02,"Top":-0.19},` +
	`"Face":{"BoundingBox":{"Width":0.28,"Height":0.72,"Left":0.02,"Top":-0.19},"Landmarks":[` +
	`{"Type":"eyeLeft","X":0.1,"Y":0.2},{"Type":"eyeRight","X":0.3,"Y":0.4},` +
	`{"Type":"mouthLeft","X":0.7,"Y":0.8},{"Type":"mouthRight","X":0.9,"Y":1.1},{"Type":"nose","X":0.5,"Y":0.6}],` +
	`"Pose":{"Roll":5.07,"Yaw":-11.48,"Pitch":15.39},"Quality":{"Brightness":54.9,"Sharpness":73.3},"Confidence":99.99}}`

func TestWriteFaceSearchSpellsItAsAWSDoes(t *testing.T) {
	t.Parallel()
	want := `{"JobStatus":"SUCCEEDED","VideoMetadata":{"Codec":"h264","DurationMillis":67300,"Format":"QuickTime / MOV",` +
		`"FrameRate":29.97003,"FrameHeight":1080,"FrameWidth":1920,"ColorRange":"LIMITED"},"Persons":[` +
		`{"Timestamp":967,"Person":{"Index":1,` + personFace + `,"FaceMatches":[` +
		`{"Similarity":98.44,"Face":{"FaceId":"056a0000-0000-0000-0000-000000000000",` +
		`"BoundingBox":{"Width":0.12,"Height":0.25,"Left":0.59,"Top":0.16},` +
		`"ImageId":"08f00000-0000-0000-0000-000000000000","ExternalImageId":"ANNA.1","Confidence":100}},` +
		`{"Similarity":81,"Face":{"FaceId":"aa000000-0000-0000-0000-000000000000",` +
		`"BoundingBox":{"Width":0,"Height":0,"Left":0,"Top":0},` +
		`"ImageId":"bb000000-0000-0000-0000-000000000000","Confidence":0}},` +
		`{"Similarity":80,"Face":{"FaceId":"ff000000-0000-0000-0000-000000000000"}}]},` +
		`{"Timestamp":1000,"Person":{"Index":2,` + personFace + `,"FaceMatches":[]}],` +
		`"Video":{"S3Object":{"Name":"a \u0026 b/clip.mp4"}}}` + "\n"
	if diff := cmp.Diff(want, document(t, finished())); diff != "" {
		t.Error(diff)
	}
}

func TestWriteFaceSearchOfAFailedVideo(t *testing.T) {
	t.Parallel()
	got := document(t, FaceSearch{Status: Failed, Message: `cannot read "clip.mp4": no video`, Enrolled: lookup})
	want := `{"JobStatus":"FAILED","StatusMessage":"cannot read \"clip.mp4\": no video","VideoMetadata":{},"Persons":[]}` + "\n"
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
}

func TestWriteFaceSearchNeverWritesWhatJSONCannotSay(t *testing.T) {
	t.Parallel()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	in := finished()
	in.Video.FrameRate = math.NaN()
	in.Video.Duration = -time.Second
	d := &in.Sightings[0].Detection
	d.Box = face.Box{Left: nan, Top: inf, Width: -inf, Height: nan}
	d.Landmarks[3] = face.Point{X: nan, Y: inf}
	d.Pose = face.Pose{Roll: nan, Yaw: 200, Pitch: -181}
	d.Quality = face.Quality{Brightness: inf, Sharpness: 101}
	d.Confidence = -1
	in.Sightings[0].Matches[0].Similarity = face.Similarity(nan)
	in.Sightings[0].Matches[1].Similarity = 100.0001
	got := parse(t, document(t, in))
	f := got.Persons[0].Person.Face
	zero := new(float32(0))
	want := &model.FaceDetail{
		BoundingBox: &model.BoundingBox{Width: zero, Height: zero, Left: zero, Top: zero},
		Landmarks:   f.Landmarks,
		Pose:        &model.Pose{Roll: zero, Yaw: new(float32(180)), Pitch: new(float32(-180))},
		Quality:     &model.ImageQuality{Brightness: zero, Sharpness: new(float32(100))},
		Confidence:  zero,
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(model.Landmark{Type: "mouthLeft", X: zero, Y: zero}, f.Landmarks[2]); diff != "" {
		t.Error(diff)
	}
	if m := got.Persons[0].FaceMatches; *m[0].Similarity != 0 || *m[1].Similarity != 100 {
		t.Errorf("similarities %v and %v", *m[0].Similarity, *m[1].Similarity)
	}
}

func TestWriteFaceSearchStreams(t *testing.T) {
	t.Parallel()
	in := finished()
	one := in.Sightings
	const n = 4_000
	for range n {
		in.Sightings = append(in.Sightings, one[0])
	}
	text := document(t, in)
	if got := len(parse(t, text).Persons); got != n+2 {
		t.Errorf("%d persons, want %d", got, n+2)
	}
	if strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Error("the document is not one line")
	}
	limited := &failingWriter{left: 1 << 20}
	if err := WriteFaceSearch(limited, in); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v, want the writer's", err)
	}
}

// BenchmarkWriteFaceSearch shows that memory per sighting stays flat.
func BenchmarkWriteFaceSearch(b *testing.B) {
	in := finished()
	one := in.Sightings
	for len(in.Sightings) < 10_000 {
		in.Sightings = append(in.Sightings, one...)
	}
	for b.Loop() {
		if err := WriteFaceSearch(io.Discard, in); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(in.Sightings)*b.N)/b.Elapsed().Seconds(), "sightings/s")
}

type failingWriter struct{ left int }

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func document(t *testing.T, in FaceSearch) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteFaceSearch(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parse reads a document strictly: exactly one, with no member that the shapes do not know.
func parse(t *testing.T, text string) FaceSearchDocument {
	t.Helper()
	var doc FaceSearchDocument
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if d.More() {
		t.Fatal("more than one document")
	}
	return doc
}
