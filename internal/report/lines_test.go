package report

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestLinesSayWhatMayBeMissing writes one person in a video that is known whole, not to its end, and damaged.
func TestLinesSayWhatMayBeMissing(t *testing.T) {
	t.Parallel()
	people := gallery(t, "ANNA")
	for _, test := range []struct {
		err     error
		partial []string
		want    string
	}{
		{nil, nil, ""},
		{nil, []string{"3 frames are damaged", "the file ends too early"}, "3 frames are damaged; the file ends too early"},
		{errors.New("it was cut off"), []string{"3 frames are damaged"}, "it was cut off"},
	} {
		v := &Video{Err: test.err, Partial: test.partial, Sightings: seen(0, 0, 1000, match(1, 90))}
		name := "a\n\x1b[31m<b>\xff.mp4"
		var b strings.Builder
		if err := Lines(&b, name, v, &people, 5); err != nil {
			t.Fatal(err)
		}
		var got line
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil || strings.Count(b.String(), "\n") != 1 {
			t.Fatalf("%q: %v", b.String(), err)
		}
		if got.Clip != strings.ToValidUTF8(name, "�") || got.Person != "ANNA" || got.Incomplete != test.want {
			t.Errorf("%+v, want it incomplete as %q", got, test.want)
		}
	}
}
