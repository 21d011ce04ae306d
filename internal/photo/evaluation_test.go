package photo

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDecodeOnHostileFiles decodes the evaluation set's odd and hostile images and holds the outcome against its
// manifest.
func TestDecodeOnHostileFiles(t *testing.T) {
	t.Parallel()
	folder := os.Getenv("SPOTTER_EVALUATION")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "evaluation")
	}
	folder = filepath.Join(folder, "nasty")
	manifest, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the evaluation files are not here; set SPOTTER_EVALUATION to their folder")
	} else if err != nil {
		t.Fatal(err)
	}
	var listed struct {
		Files []struct {
			File, Kind, Expect, Why, AWS string
			UprightSize                  []int
		}
	}
	if err = json.Unmarshal(manifest, &listed); err != nil {
		t.Fatal(err)
	}
	// What a refusal must be, by the exception that the manifest expects in the API.
	kinds := map[string]Kind{
		"InvalidParameterException":   TooSmall,
		"InvalidImageFormatException": Format,
		"ImageTooLargeException":      TooLarge,
	}
	for _, f := range listed.Files {
		if f.Kind != "image" {
			continue
		}
		t.Run(filepath.Base(f.File), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join(folder, f.File))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			pic, err := Decode(bytes.NewReader(data), DefaultLimits())
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			var refusal *Error
			switch {
			case filepath.Base(f.File) == "bad-over-5MB.jpg": // too large only where bytes are sent inline
				if err != nil {
					t.Errorf("refused as a file: %v", err)
				}
			case err != nil && !errors.As(err, &refusal):
				t.Errorf("not a refusal: %v", err)
			case f.Expect == "success" && err != nil:
				t.Errorf("refused: %v (%s)", err, f.Why)
			case f.Expect == "clean-failure" && err == nil:
				t.Errorf("accepted (%s)", f.Why)
			case f.Expect == "clean-failure" && kinds[f.AWS] != 0 && refusal.Kind != kinds[f.AWS]:
				t.Errorf("refused as %v: %v; want %v", refusal.Kind, refusal, kinds[f.AWS])
			case err == nil && len(f.UprightSize) == 2 && (pic.Width != f.UprightSize[0] || pic.Height != f.UprightSize[1]):
				t.Errorf("size %d x %d, want %v", pic.Width, pic.Height, f.UprightSize)
			}
			t.Log(f.Expect, err)
		})
	}
}
