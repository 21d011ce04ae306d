package video

import (
	"slices"
	"testing"
)

// TestOnlyOneDecoder has each of the decoders that work here work alone, and fail where it cannot.
func TestOnlyOneDecoder(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	builds := d.Check(t.Context()).Builds
	if len(builds) == 0 {
		t.Fatal("nothing decodes")
	}
	for _, build := range builds {
		if got := d.Only(build).Check(t.Context()).Builds; !slices.Equal(got, []string{build}) {
			t.Errorf("only %s is %v", build, got)
		}
	}
	broken := *d
	broken.helper = "/absent/spotter-decode"
	film := open(t, media(t, "only.mp4", "@pattern -c:v libx264 -g 25"))
	if _, err := broken.Only(helperBuild).Plan(t.Context(), film); KindOf(err) != Unavailable {
		t.Errorf("a decoder that does not run plans all the same: %v", err)
	}
	if slices.Contains(builds, toolBuild) {
		if p, err := broken.Plan(t.Context(), film); err != nil || !p.Track.Tool {
			t.Errorf("without being told to be alone it does not fall back: %v", err)
		}
	}
}
