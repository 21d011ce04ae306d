package sqlstore

import (
	"database/sql"
	"database/sql/driver"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// carry writes a value and reads it again.
func carry(t rapid.TB, from driver.Valuer, to sql.Scanner) {
	t.Helper()
	v, err := from.Value()
	if err != nil {
		t.Fatal(err)
	}
	if !driver.IsValue(v) {
		t.Fatalf("%T is nothing that a database takes", v)
	}
	if err := to.Scan(v); err != nil {
		t.Fatal(err)
	}
}

func TestColumnsKeepEverything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		bits := rapid.SliceOfN(rapid.Uint32(), detectionValues, detectionValues).Draw(r, "bits")
		values := make(floats, len(bits))
		for i, b := range bits {
			values[i] = math.Float32frombits(b)
		}
		var got floats
		carry(r, values, &got)
		// A detection is these values in another shape, and comes back to the same bytes.
		raw, _ := values.Value()
		var d, again detection
		if err := d.Scan(raw); err != nil {
			r.Fatal(err)
		}
		carry(r, d, &again)
		for i, b := range bits {
			if math.Float32bits(got[i]) != b {
				r.Fatalf("value %d is %x, was %x", i, math.Float32bits(got[i]), b)
			}
		}
		if same, _ := again.Value(); !cmp.Equal(raw, same) {
			r.Fatalf("a detection of %v is %v", bits, again)
		}
	})
}

func TestDetectionsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	want := detection{
		Box:        face.Box{Left: 1, Top: 2, Width: 3, Height: 4},
		Landmarks:  face.Landmarks{{X: 5, Y: 6}, {X: 7, Y: 8}, {X: 9, Y: 10}, {X: 11, Y: 12}, {X: 13, Y: 14}},
		Confidence: 15, Pose: face.Pose{Roll: 16, Yaw: 17, Pitch: 18}, Quality: face.Quality{Brightness: 19, Sharpness: 20},
	}
	var values floats
	carry(t, want, &values)
	for i, v := range values {
		if v != float32(i+1) {
			t.Fatalf("value %d is %g: the order in databases must not change", i, v)
		}
	}
	var got detection
	carry(t, want, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestTimesAreKeptToTheMillisecond(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("east", 3600)
	for name, test := range map[string]struct{ in, want time.Time }{
		"none":         {},
		"a time":       {time.Date(2026, 1, 2, 3, 4, 5, 6_700_000, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)},
		"another zone": {time.Date(2026, 1, 2, 3, 4, 5, 0, zone), time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)},
		"before 1970":  {time.Date(1969, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(1969, 1, 2, 3, 4, 5, 0, time.UTC)},
	} {
		got := millis(time.Unix(1, 0))
		carry(t, millis(test.in), &got)
		if time.Time(got) != test.want {
			t.Errorf("%s: %v, want %v", name, time.Time(got), test.want)
		}
	}
}

func TestOptionalTextsAndBlobs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "x", "ü\x00"} {
		got := optional("before")
		carry(t, optional(text), &got)
		if string(got) != text {
			t.Errorf("%q is %q", text, got)
		}
	}
	if v, err := optional("").Value(); v != nil || err != nil {
		t.Errorf("an empty text is %v and not NULL: %v", v, err)
	}
	for _, b := range [][]byte{nil, {}, {0, 1}} {
		var got blob
		carry(t, blob(b), &got)
		if got == nil || string(got) != string(b) {
			t.Errorf("%v is %v", b, got)
		}
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	want, got := &resultsRecord{1, 2, 3}, &resultsRecord{9, 9, 9}
	carry(t, document{want}, document{&got})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	carry(t, document{(*resultsRecord)(nil)}, document{&got})
	if got != nil {
		t.Fatalf("NULL is %+v", got)
	}
	if _, err := (document{math.NaN()}).Value(); err == nil {
		t.Fatal("NaN is no JSON, and was written")
	}
}

func TestColumnsRefuseOtherTypes(t *testing.T) {
	t.Parallel()
	var id uuid
	var at millis
	var text optional
	var bytes blob
	var values floats
	var seen detection
	var record *resultsRecord
	for name, err := range map[string]error{
		"id of 15 bytes":         id.Scan(make([]byte, 15)),
		"id of NULL":             id.Scan(nil),
		"time of text":           at.Scan("today"),
		"text of a number":       text.Scan(int64(1)),
		"blob of a number":       bytes.Scan(int64(1)),
		"vector of 5 bytes":      values.Scan(make([]byte, 5)),
		"detection of 19 values": seen.Scan(make([]byte, 4*(detectionValues-1))),
		"detection of NULL":      seen.Scan(nil),
		"document of a number":   document{&record}.Scan(int64(1)),
		"document of half a one": document{&record}.Scan(`{"sightings":`),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzColumns reads what a damaged database may hold.
func FuzzColumns(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 4*detectionValues))
	f.Add([]byte(`{"codec":"h264","warnings":["x"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var id uuid
		var values floats
		var seen detection
		var plan *planRecord
		if (id.Scan(b) == nil) != (len(b) == len(id)) {
			t.Errorf("%d bytes for an id", len(b))
		}
		if (values.Scan(b) == nil) != (len(b)%4 == 0) {
			t.Errorf("%d bytes for a vector", len(b))
		}
		if (seen.Scan(b) == nil) != (len(b) == 4*detectionValues) {
			t.Errorf("%d bytes for a detection", len(b))
		}
		if (document{&plan}).Scan(b) == nil && plan != nil {
			carry(t, document{plan}, document{&plan})
		}
		var frozen *service.Terms
		if (terms{&frozen}).Scan(b) == nil && frozen != nil && frozen.Version <= service.TermsVersion {
			carry(t, terms{&frozen}, terms{&frozen})
		}
	})
}

// TestTermsStayWhatTheyWere holds how terms are kept: jobs go on that an earlier version has begun, and are left alone that a newer
// one has.
func TestTermsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	want := &service.Terms{Version: 1, MaxMatches: 10, Tell: true, Analysis: []byte(`{"a":1}`)}
	const form = `{"version":1,"max_matches":10,"tell":true,"analysis":{"a":1}}`
	if v, err := (terms{&want}).Value(); err != nil || v != form {
		t.Errorf("kept as %v, want %s; %v", v, form, err)
	}
	newer := &service.Terms{Version: 3}
	for text, want := range map[string]*service.Terms{
		form: want, `{"version":3,"max_matches":"of another type"}`: newer, "": nil, "null": nil,
	} {
		var got *service.Terms
		src := any(text)
		if text == "" {
			src = nil
		}
		if err := (terms{&got}).Scan(src); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	var got *service.Terms
	for _, damaged := range []string{`{`, `{"version":1,"max_matches":"ten"}`, `[]`} {
		if (terms{&got}).Scan(damaged) == nil {
			t.Errorf("%s is read as %+v", damaged, got)
		}
	}
}
