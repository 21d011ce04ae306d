package awsapi

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestExternalImageID(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ person, photo, want string }{
		{"ANNA", "1", "ANNA.1"},
		{"ANNA", "", "ANNA"},
		{"Anna Müller", "at the sea (2)", "Anna:20M:C3:BCller.at:20the:20sea:20:282:29"},
		{"张伟", "", ":E5:BC:A0:E4:BC:9F"},
		{"李娜", "", ":E6:9D:8E:E5:A8:9C"},
		{"J.R.", "a.b", "J:2ER:2E.a.b"},
		{"a:b", "", "a:3Ab"},
		{"", "photo", ":.photo"},
		{"a\x00b\xff", "..", "a:00b:FF..."},
		{strings.Repeat("x", 127), "7", strings.Repeat("x", 127) + ".7"},
		{strings.Repeat("x", 128), "7", strings.Repeat("x", 109) + ":h24da1b81d0b16df6.7"},
	} {
		if got := ExternalImageID(tc.person, tc.photo); got != tc.want {
			t.Errorf("ExternalImageID(%.20q, %.20q) = %q, want %q", tc.person, tc.photo, got, tc.want)
		}
	}
}

// TestExternalImageIDComesBack holds that names are allowed, and are read back as documented.
func TestExternalImageIDComesBack(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(`^[a-zA-Z0-9_.\-:]{1,255}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z.:张]{1,200}`))
		person, photo := name.Draw(t, "person"), name.Draw(t, "photo")
		id := ExternalImageID(person, photo)
		if !pattern.MatchString(id) {
			t.Fatalf("%q is not an ExternalImageId", id)
		}
		first, second, _ := strings.Cut(id, ".")
		for _, part := range []struct{ is, was string }{{first, person}, {second, photo}} {
			if strings.Contains(part.is, ":h") || part.is == ":" {
				continue // too long, or empty
			}
			if back, err := url.PathUnescape(strings.ReplaceAll(part.is, ":", "%")); err != nil || back != part.was {
				t.Fatalf("%q became %q (%v)", part.was, back, err)
			}
		}
	})
}
