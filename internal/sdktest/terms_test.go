package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/google/go-cmp/cmp"
)

// TestAJobKeepsTheSettingsItWasStartedWith starts the server again with another sample rate and another number of workers while a job is
// in progress: that job finds what it would have found, and the next one is of the new settings.
func TestAJobKeepsTheSettingsItWasStartedWith(t *testing.T) {
	t.Parallel()
	s := here(t).own(t, "set-anew", settings{"workers": 1})
	c := s.client(t)
	id := collection(t, c)
	enrol(t, c, id, anna, "anna")
	in := rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")}
	want := searched(t, c, startSearch(t, c, in)).Persons
	open := startSearch(t, c, in)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.arguments = append(s.arguments, "--sample-rate", "1", "--workers", "2")
	if err := s.launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = s.client(t)
	if diff := cmp.Diff(want, searched(t, c, open).Persons, ignored()...); diff != "" {
		t.Errorf("the job has found something else (-want +got):\n%s", diff)
	}
	if next := searched(t, c, startSearch(t, c, in)).Persons; len(next) == 0 || len(next) > len(want)/2 {
		t.Errorf("%d sightings at one frame a second, and %d at five", len(next), len(want))
	}
}
