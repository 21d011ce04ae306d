package recognizer

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

func TestCohortIsReadAsWritten(t *testing.T) {
	t.Parallel()
	c := &face.Cohort{Mean: []float32{.5, -.25}, Covariance: []float32{.5, -.125, -.125, .25}}
	file, err := WriteCohort(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadCohort(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c, got); d != "" {
		t.Error(d)
	}
	if _, err = WriteCohort(&face.Cohort{Mean: c.Mean}); err == nil {
		t.Error("a cohort without covariance was written")
	}
	for name, f := range map[string][]byte{
		"nothing": nil, "cut short": file[:len(file)-1], "too long": append(bytes.Clone(file), 0),
		"another file": append([]byte("ONNX"), file[4:]...),
	} {
		if _, err = ReadCohort(f); err == nil {
			t.Errorf("%s was read as a cohort", name)
		}
	}
	negative, err := WriteCohort(&face.Cohort{Mean: []float32{0}, Covariance: []float32{-1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCohort(negative); err == nil {
		t.Error("a negative variance was read")
	}
}

func FuzzCohort(f *testing.F) {
	file, err := WriteCohort(&face.Cohort{Mean: []float32{.5, -.25}, Covariance: []float32{.5, -.125, -.125, .25}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ReadCohort(file)
		if err != nil {
			return
		}
		again, err := WriteCohort(c)
		if err != nil || !bytes.Equal(again, file) {
			t.Fatalf("a cohort read and written differs: %v", err)
		}
	})
}
