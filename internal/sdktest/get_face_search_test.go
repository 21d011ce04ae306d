package sdktest_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/testkit/media"
)

func TestGetFaceSearchFindsWhoIsThere(t *testing.T) {
	t.Parallel()
	c := client(t)
	e := searchedClip(t, c)
	out := searched(t, c, e.job)
	if out.JobStatus != types.VideoJobStatusSucceeded || out.StatusMessage != nil || out.NextToken != nil ||
		*out.JobId != *e.job || *out.JobTag != "example" || *out.Video.S3Object.Name != "clip.mp4" {
		t.Errorf("the job is %s, %v, %v", out.JobStatus, out.StatusMessage, out.NextToken)
	}
	wantMetadata(t, out.VideoMetadata)
	// In milliseconds: one shot each, and some at their ends in which a face may be missed.
	shots := map[string][2]int64{"anna": {0, 2000}, "bea": {0, 2000}, "dora": {4000, 6000}}
	seen := map[string]int{}
	for _, p := range out.Persons {
		wantPerson(t, &p)
		for _, m := range p.FaceMatches {
			name := *m.Face.ExternalImageId
			seen[name]++
			if shot := shots[name]; p.Timestamp < shot[0] || p.Timestamp >= shot[1] || e.faces[name] != *m.Face.FaceId ||
				*m.Similarity < 80 || m.Face.BoundingBox == nil || m.Face.ImageId == nil {
				t.Errorf("%s is found at %d with %v", name, p.Timestamp, *m.Similarity)
			}
		}
	}
	for name := range shots {
		if seen[name] < 7 { // of ten pictures
			t.Errorf("%s is found in %d pictures", name, seen[name])
		}
	}
	if seen["eve"] != 0 {
		t.Error("EVE is found, who is not there")
	}
}

func wantMetadata(t *testing.T, m *types.VideoMetadata) {
	t.Helper()
	if m == nil || *m.Codec != "h264" || *m.Format != "QuickTime / MOV" || *m.DurationMillis != 6000 || *m.FrameRate != 10 ||
		*m.FrameWidth != 960 || *m.FrameHeight != 540 || m.ColorRange != types.VideoColorRangeLimited {
		t.Errorf("the video is described as %+v", m)
	}
}

// wantPerson wants what there is of every person.
func wantPerson(t *testing.T, p *types.PersonMatch) {
	t.Helper()
	if p.FaceMatches == nil || p.Person == nil || p.Person.Face == nil || p.Person.BoundingBox == nil {
		t.Fatalf("a person is told as %+v", p)
	}
	if len(p.Person.Face.Landmarks) != 5 {
		t.Errorf("%d landmarks", len(p.Person.Face.Landmarks))
	}
	wantNoFurtherAttributes(t, p.Person.Face)
}

// all are all pages of results, read with the SDK's paginator.
func all(t *testing.T, c *rekognition.Client, in rekognition.GetFaceSearchInput) []types.PersonMatch {
	t.Helper()
	var persons []types.PersonMatch
	pages := rekognition.NewGetFaceSearchPaginator(c, &in)
	for pages.HasMorePages() {
		page := ok(pages.NextPage(t.Context()))(t)
		wantMetadata(t, page.VideoMetadata)
		if n := len(page.Persons); pages.HasMorePages() && n != int(*in.MaxResults) || *page.JobId != *in.JobId {
			t.Errorf("a page of %d", n)
		}
		persons = append(persons, page.Persons...)
	}
	return persons
}

// place tells sightings apart.
type place struct{ time, person int64 }

func places(persons []types.PersonMatch) []place {
	out := make([]place, len(persons))
	for i, p := range persons {
		out[i] = place{p.Timestamp, p.Person.Index}
	}
	return out
}

func TestGetFaceSearchSorts(t *testing.T) {
	t.Parallel()
	c := client(t)
	e := searchedClip(t, c)
	whole := places(searched(t, c, e.job).Persons)
	byTime := func(a, b place) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.person, b.person)) }
	if !slices.IsSortedFunc(whole, byTime) {
		t.Error("the usual order is not that of time")
	}
	for _, size := range []int32{1, 7, 1000} {
		in := rekognition.GetFaceSearchInput{JobId: e.job, MaxResults: &size, SortBy: types.FaceSearchSortByTimestamp}
		if got := places(all(t, c, in)); !slices.Equal(got, whole) {
			t.Errorf("pages of %d hold something else", size)
		}
		in.SortBy = types.FaceSearchSortByIndex
		persons := all(t, c, in)
		wantByIndex(t, persons)
		got := places(persons)
		slices.SortFunc(got, byTime)
		if !slices.Equal(got, whole) {
			t.Errorf("sorted by INDEX, pages of %d hold something else", size)
		}
	}
}

// wantByIndex wants each person at a stretch, from the first to the last time: clients make intervals of what stands together.
func wantByIndex(t *testing.T, persons []types.PersonMatch) {
	t.Helper()
	if !slices.IsSortedFunc(persons, func(a, b types.PersonMatch) int {
		return cmp.Or(cmp.Compare(a.Person.Index, b.Person.Index), cmp.Compare(a.Timestamp, b.Timestamp))
	}) {
		t.Error("sorted by INDEX, persons are not together in the order of time")
	}
}

func TestGetFaceSearchTokens(t *testing.T) {
	t.Parallel()
	c := client(t)
	e := searchedClip(t, c)
	other := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: e.collection, Video: film("clip.mp4")})
	searched(t, c, other)
	page := func(change func(*rekognition.GetFaceSearchInput)) (*rekognition.GetFaceSearchOutput, error) {
		in := &rekognition.GetFaceSearchInput{JobId: e.job, MaxResults: new(int32(3))}
		change(in)
		return c.GetFaceSearch(t.Context(), in)
	}
	first := ok(page(func(in *rekognition.GetFaceSearchInput) { in.NextToken = new("") }))(t)
	if len(first.Persons) != 3 || len(*first.NextToken) > 255 {
		t.Fatalf("the first page has %d persons", len(first.Persons))
	}
	for name, change := range map[string]func(*rekognition.GetFaceSearchInput){
		"another order": func(in *rekognition.GetFaceSearchInput) { in.SortBy = types.FaceSearchSortByIndex },
		"another job":   func(in *rekognition.GetFaceSearchInput) { in.JobId = other },
		"forged":        func(in *rekognition.GetFaceSearchInput) { in.NextToken = new(strings.ToUpper(*first.NextToken)) },
		"nonsense":      func(in *rekognition.GetFaceSearchInput) { in.NextToken = new("next") },
	} {
		_, err := page(func(in *rekognition.GetFaceSearchInput) {
			in.NextToken = first.NextToken
			change(in)
		})
		t.Log(name)
		refused[*types.InvalidPaginationTokenException](t, err, "Invalid Pagination Token")
	}
	// The size of the pages may change on the way.
	rest := ok(page(func(in *rekognition.GetFaceSearchInput) { in.NextToken, in.MaxResults = first.NextToken, nil }))(t)
	if whole := searched(t, c, e.job).Persons; len(rest.Persons) != len(whole)-3 || rest.NextToken != nil {
		t.Errorf("after 3 of %d persons there are %d", len(whole), len(rest.Persons))
	}
}

func TestGetFaceSearchInProgress(t *testing.T) {
	t.Parallel()
	w := here(t)
	c := w.server.client(t)
	job := startSearch(t, c, rekognition.StartFaceSearchInput{
		CollectionId: collection(t, c), Video: film("long.mp4"), JobTag: new("tag:a=b/c"),
	})
	defer w.server.cancel(t, job)
	out := ok(c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: job}))(t)
	if out.JobStatus != types.VideoJobStatusInProgress || out.Persons == nil || len(out.Persons) != 0 || out.VideoMetadata == nil ||
		out.VideoMetadata.Codec != nil || out.StatusMessage != nil || out.NextToken != nil {
		t.Errorf("answered with %+v", out)
	}
	if *out.JobId != *job || *out.JobTag != "tag:a=b/c" || *out.Video.S3Object.Bucket != archive || out.Video.S3Object.Version != nil {
		t.Errorf("the job is told as %s, %s, %+v", *out.JobId, *out.JobTag, out.Video.S3Object)
	}
}

// TestGetFaceSearchWithoutItsCollection deletes what a job is to search.
func TestGetFaceSearchWithoutItsCollection(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film("long.mp4")})
	ok(c.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: id}))(t)
	out := searched(t, c, job)
	if text := "The collection " + *id + " was deleted before the search was done."; out.JobStatus != types.VideoJobStatusFailed ||
		*out.StatusMessage != text {
		t.Errorf("the job is %s: %s", out.JobStatus, aws.ToString(out.StatusMessage))
	}
}

// TestGetFaceSearchKeepsItsMatches deletes a face that has been found.
func TestGetFaceSearchKeepsItsMatches(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	face := enrol(t, c, id, dora, "dora")
	job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4")})
	matches := func() (n int) {
		for _, p := range searched(t, c, job).Persons {
			for _, m := range p.FaceMatches {
				if n++; *m.Face.FaceId != face || *m.Face.ExternalImageId != "dora" {
					t.Errorf("matched %s", *m.Face.FaceId)
				}
			}
		}
		return n
	}
	before := matches()
	ok(c.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{CollectionId: id, FaceIds: []string{face}}))(t)
	if after := matches(); before == 0 || after != before {
		t.Errorf("%d matches, and %d when the face has been deleted", before, after)
	}
}

func TestGetFaceSearchRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	unknown := strings.Repeat("0", 64)
	_, err := c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: &unknown})
	refused[*types.ResourceNotFoundException](t, err, "Could not find JobId")
	_, err = c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: &unknown, MaxResults: new(int32(0))})
	invalid(t, err, "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "+
		"Member must have value greater than or equal to 1")
	_, err = c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: &unknown, SortBy: "NAME"})
	invalid(t, err, "1 validation error detected: Value 'NAME' at 'sortBy' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [INDEX, TIMESTAMP]")
	_, err = c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: new("no job")})
	invalid(t, err, "")
	_, err = c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: &unknown, NextToken: new(strings.Repeat("x", 256))})
	invalid(t, err, "")
	detection := ok(c.StartFaceDetection(t.Context(), &rekognition.StartFaceDetectionInput{Video: film("text.mp4")}))(t)
	_, err = c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: detection.JobId})
	refused[*types.ResourceNotFoundException](t, err, "Could not find JobId")
}

// TestGetFaceSearchOfFailedJobs wants the reasons of failed jobs to be told.
func TestGetFaceSearchOfFailedJobs(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	const format = "Unsupported codec/format. "
	for key, says := range map[string]string{
		"text.mp4": format, "codec.mkv": format, "sound.mp4": format, "people/EVE.jpg": format,
		"corrupt.mp4": format, "empty.mp4": format,
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			job := startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: id, Video: film(key)})
			out := searched(t, c, job)
			if out.JobStatus != types.VideoJobStatusFailed || out.Persons == nil || len(out.Persons) != 0 || out.VideoMetadata == nil ||
				out.StatusMessage == nil || !strings.HasPrefix(*out.StatusMessage, says) || len(*out.StatusMessage) < 10 {
				t.Fatalf("the job is %s: %s", out.JobStatus, aws.ToString(out.StatusMessage))
			}
			t.Log(*out.StatusMessage)
		})
	}
}

// TestGetFaceSearchSaysThatAVideoLiesOnItsSide also searches what the message advises to make.
func TestGetFaceSearchSaysThatAVideoLiesOnItsSide(t *testing.T) {
	t.Parallel()
	c, w := client(t), here(t)
	e := searchedClip(t, c)
	const on, turned = "side.mp4", "turned.mp4"
	if err := media.FFmpeg(t.Context(), "-i", w.path("clip.mp4"), "-vf", "transpose=clock", w.path(on)); err != nil {
		t.Fatal(err)
	}
	out := searched(t, c, startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: e.collection, Video: film(on)}))
	_, advice, found := strings.Cut(aws.ToString(out.StatusMessage), "turn it and search again: ffmpeg -i IN ")
	filter, whole := strings.CutSuffix(advice, " OUT.mp4.")
	if out.JobStatus != types.VideoJobStatusSucceeded || !found || !whole {
		t.Fatalf("the job is %s: %s", out.JobStatus, aws.ToString(out.StatusMessage))
	}
	if err := media.FFmpeg(t.Context(), append([]string{"-i", w.path(on)}, append(strings.Fields(filter), w.path(turned))...)...); err != nil {
		t.Fatal(err)
	}
	out = searched(t, c, startSearch(t, c, rekognition.StartFaceSearchInput{CollectionId: e.collection, Video: film(turned)}))
	anna := slices.ContainsFunc(out.Persons, func(p types.PersonMatch) bool {
		return slices.ContainsFunc(p.FaceMatches, func(m types.FaceMatch) bool { return *m.Face.ExternalImageId == "anna" })
	})
	if out.StatusMessage != nil || !anna {
		t.Errorf("turned as it is advised: anna is found: %v; %s", anna, aws.ToString(out.StatusMessage))
	}
}
