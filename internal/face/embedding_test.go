package face_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestIDsSurviveText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var id face.ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		for _, s := range []string{id.String(), strings.ToUpper(id.String())} {
			if back, err := face.ParseID(s); err != nil || back != id {
				t.Fatalf("%q became %v, %v", s, back, err)
			}
		}
	})
}

func TestParseIDRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
		"0000000000000-0000-0000-000000000000", "g0000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000_000000000000",
	} {
		if id, err := face.ParseID(s); err == nil {
			t.Errorf("%q was read as %v", s, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("056a95fa-2060-4159-9cab-7ed4daa030fa")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := face.ParseID(s); err == nil && !strings.EqualFold(id.String(), s) {
			t.Errorf("%q was read as %v", s, id)
		}
	})
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	v := []float32{3, 0, 4}
	if norm, err := face.Normalize(v); err != nil || norm != 5 {
		t.Fatalf("norm %v, %v", norm, err)
	}
	if d := face.Dot(v, v); math.Abs(d-1) > 1e-6 {
		t.Errorf("length is %v", d)
	}
	for _, bad := range [][]float32{{}, {0, 0}, {float32(math.NaN())}, {float32(math.Inf(1)), 1}} {
		if _, err := face.Normalize(bad); err == nil {
			t.Errorf("%v was given a direction", bad)
		}
	}
}
