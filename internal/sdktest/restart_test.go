package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRestart stops a server and starts it again: everything is as it was, and a job that was in progress goes on.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := here(t).own(t, "restarted", nil)
	c := s.client(t)
	k := keep(t, c)
	id, job, open, before := k.collection, k.job, k.open, k.seen

	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = s.client(t) // it listens on another port
	if diff := cmp.Diff(before, seen(t, c, id, job), ignored()...); diff != "" {
		t.Errorf("after the start it is different:\n%s", diff)
	}
	if again := startSearch(t, c, k.request); *again != *job {
		t.Error("the token of a request is forgotten")
	}
	went := searched(t, c, open)
	if went.JobStatus != types.VideoJobStatusSucceeded || len(went.Persons) != len(before.Persons) {
		t.Errorf("the job that was in progress is %s with %d persons", went.JobStatus, len(went.Persons))
	}
	rest := ok(c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: job, NextToken: before.Next}))(t)
	if len(rest.Persons) != len(before.Persons)-5 {
		t.Errorf("with a token from before the stop there are %d persons", len(rest.Persons))
	}
}

// kept is what a server is to keep.
type kept struct {
	collection *string
	// request is what job was started by, which has ended; open is one that may be in progress.
	request   rekognition.StartFaceSearchInput
	job, open *string
	seen      everything
}

// keep has a server keep something of everything.
func keep(t *testing.T, c *rekognition.Client) (k kept) {
	t.Helper()
	id := collection(t, c)
	user(t, c, id, "anna", enrol(t, c, id, anna, "anna"))
	enrol(t, c, id, dora, "dora")
	ok(c.TagResource(t.Context(), &rekognition.TagResourceInput{ResourceArn: new(arn(*id)), Tags: map[string]string{"a": "b"}}))(t)
	first, second := name(t), name(t)
	k.collection = id
	k.request = rekognition.StartFaceSearchInput{CollectionId: id, Video: film("clip.mp4"), ClientRequestToken: &first}
	k.job = startSearch(t, c, k.request)
	searched(t, c, k.job)
	k.seen = seen(t, c, id, k.job)
	other := k.request
	other.ClientRequestToken = &second
	k.open = startSearch(t, c, other)
	return k
}

// everything is what a client sees of a collection and a job.
type everything struct {
	Described *rekognition.DescribeCollectionOutput
	Tags      map[string]string
	Faces     []types.Face
	Users     []types.User
	Found     []types.FaceMatch
	People    []types.UserMatch
	Persons   []types.PersonMatch
	// Next is the token of the second page of results, for pages of five.
	Next *string
}

func seen(t *testing.T, c *rekognition.Client, id, job *string) (e everything) {
	t.Helper()
	e.Described = ok(c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: id}))(t)
	e.Tags = ok(c.ListTagsForResource(t.Context(), &rekognition.ListTagsForResourceInput{ResourceArn: new(arn(*id))}))(t).Tags
	e.Faces = ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id}))(t).Faces
	e.Users = ok(c.ListUsers(t.Context(), &rekognition.ListUsersInput{CollectionId: id}))(t).Users
	e.Found = ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{
		CollectionId: id, Image: stored(anna), FaceMatchThreshold: new(float32(0)),
	}))(t).FaceMatches
	e.People = ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: stored(anna)}))(t).UserMatches
	e.Persons = searched(t, c, job).Persons
	e.Next = ok(c.GetFaceSearch(t.Context(), &rekognition.GetFaceSearchInput{JobId: job, MaxResults: new(int32(5))}))(t).NextToken
	if len(e.Faces) != 2 || len(e.Found) != 2 || len(e.People) != 1 || len(e.Persons) < 60 || e.Next == nil {
		t.Fatalf("there are %d faces, %d found, %d users found, %d persons", len(e.Faces), len(e.Found), len(e.People), len(e.Persons))
	}
	return e
}

// ignored is what differs between two answers that say the same.
func ignored() []cmp.Option {
	return []cmp.Option{
		cmpopts.IgnoreFields(rekognition.DescribeCollectionOutput{}, "ResultMetadata"),
		cmpopts.IgnoreFields(everything{}, "Next"), // each token is sealed anew
		cmpopts.IgnoreUnexported(
			rekognition.DescribeCollectionOutput{}, types.Face{}, types.User{}, types.FaceMatch{}, types.UserMatch{},
			types.PersonMatch{}, types.PersonDetail{}, types.FaceDetail{}, types.BoundingBox{}, types.MatchedUser{},
			types.Landmark{}, types.Pose{}, types.ImageQuality{},
		),
	}
}
