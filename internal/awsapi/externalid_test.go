package awsapi

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExternalImageID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for _, tc := range []struct{ person, photo, want string }{
		{"ANNA", "1", "ANNA.1"},
		{"ANNA", "", "ANNA"},
		{"Anna Müller", "at the sea (2)", "Anna_M_ller.at_the_sea__2_"},
		{"山田", "写真", "__.__"},
		{"", "", "_"},
		{"", "photo", "_.photo"},
		{"a\x00b\xff", "..", "a_b_..."},
		{long, "", long[:255]},
		{"ANNA", long + "_0042", "ANNA." + long[:245] + "_0042"},
		{long + "!", "7", long[:253] + ".7"},
		{long, long + "_0042", long[:127] + "." + long[:122] + "_0042"},
	} {
		if got := ExternalImageID(tc.person, tc.photo); got != tc.want {
			t.Errorf("ExternalImageID(%.20q, %.20q) = %q, want %q", tc.person, tc.photo, got, tc.want)
		}
	}
}

func TestExternalImageIDIsAlwaysAllowed(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^[a-zA-Z0-9_.\-:]+$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z.]{0,400}`))
		person, photo := name.Draw(t, "person"), name.Draw(t, "photo")
		id := ExternalImageID(person, photo)
		if len(id) < 1 || len(id) > 255 || !pattern.MatchString(id) {
			t.Fatalf("%q is not an ExternalImageId", id)
		}
		if again := ExternalImageID(id, ""); again != id {
			t.Fatalf("%q became %q", id, again)
		}
		// Short names are kept: only what AWS forbids is replaced, one character for one.
		p, q := []rune(person), []rune(photo)
		if len(p) > 0 && len(q) > 0 && len(p)+len(q) < 255 && len(id) != len(p)+1+len(q) {
			t.Fatalf("%q has %d characters", id, len(id))
		}
	})
}
