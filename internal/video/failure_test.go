package video

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestDamageIsAddedUp(t *testing.T) {
	t.Parallel()
	var all Damage
	if w := all.Warnings(); w != nil {
		t.Errorf("no damage: %q", w)
	}
	all.Add(Damage{Refused: 1, Backwards: 2})
	all.Add(Damage{Missing: 3, Truncated: true})
	all.Add(Damage{Missing: 4})
	want := []string{
		"1 damaged packet could not be decoded",
		"7 chosen frames could not be decoded",
		"the file ends too early: it was cut off or damaged, or is still being written",
		"2 frames were left out because their times do not rise",
	}
	if have := all.Warnings(); !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
}

func TestReasonsHaveNoAddresses(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"[mov,mp4,m4a @ 0x564706ed6e40] moov atom not found": "moov atom not found",
		"[a] b @ 0x1] c":  "[a] b @ 0x1] c",
		"in.mp4: no data": "in.mp4: no data",
		"":                "",
	} {
		if have := withoutAddress(line); have != want {
			t.Errorf("%q became %q, want %q", line, have, want)
		}
	}
}

// TestCheckEnds runs a program that ends and leaves another behind, which holds its output open.
func TestCheckEnds(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "helper")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 15 &\necho said\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	out, err := output(t.Context(), script)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if string(out) != "said\n" || err == nil {
		t.Errorf("%q, %v: want what was said, and that the output stayed open", out, err)
	}
}
