package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestSearchUsers(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	first, second := enrol(t, c, id, anna, "1"), enrol(t, c, id, anna, "2")
	user(t, c, id, "anna", first)
	user(t, c, id, "twin", second)
	user(t, c, id, "dora", enrol(t, c, id, dora, ""))
	user(t, c, id, "faceless")
	search := func(in rekognition.SearchUsersInput) *rekognition.SearchUsersOutput {
		t.Helper()
		in.CollectionId = id
		return ok(c.SearchUsers(t.Context(), &in))(t)
	}
	byUser := search(rekognition.SearchUsersInput{UserId: new("anna")})
	wantUsers(t, byUser.UserMatches, "twin")
	if *byUser.SearchedUser.UserId != "anna" || byUser.SearchedFace != nil || *byUser.FaceModelVersion == "" {
		t.Errorf("searched for %+v", byUser.SearchedUser)
	}
	byFace := search(rekognition.SearchUsersInput{FaceId: &first})
	wantUsers(t, byFace.UserMatches, "anna", "twin")
	if *byFace.SearchedFace.FaceId != first || byFace.SearchedUser != nil {
		t.Errorf("searched for %+v", byFace.SearchedFace)
	}
	if n := len(search(rekognition.SearchUsersInput{FaceId: &first, UserMatchThreshold: new(float32(0))}).UserMatches); n != 3 {
		t.Errorf("without a threshold %d users", n)
	}
	if n := len(search(rekognition.SearchUsersInput{FaceId: &first, MaxUsers: new(int32(1))}).UserMatches); n != 1 {
		t.Errorf("at most one is %d", n)
	}
	if none := search(rekognition.SearchUsersInput{UserId: new("faceless")}); none.UserMatches == nil || len(none.UserMatches) != 0 {
		t.Errorf("like a user without faces are %v", none.UserMatches)
	}
}

// wantUsers wants these users, whatever their order, and the most similar first.
func wantUsers(t *testing.T, matches []types.UserMatch, want ...string) {
	t.Helper()
	wanted := map[string]bool{}
	for _, id := range want {
		wanted[id] = true
	}
	for i, m := range matches {
		if !wanted[*m.User.UserId] || m.User.UserStatus != types.UserStatusActive || *m.Similarity < 80 {
			t.Errorf("found %s, %s, with %v", *m.User.UserId, m.User.UserStatus, *m.Similarity)
		}
		if i > 0 && *m.Similarity > *matches[i-1].Similarity {
			t.Error("the most similar user is not the first")
		}
	}
	if len(matches) != len(want) {
		t.Errorf("%d users found, want %v", len(matches), want)
	}
}

func TestSearchUsersRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	search := func(in rekognition.SearchUsersInput) error {
		if in.CollectionId == nil {
			in.CollectionId = id
		}
		_, err := c.SearchUsers(t.Context(), &in)
		return err
	}
	refused[*types.InvalidParameterException](t, search(rekognition.SearchUsersInput{}), "")
	refused[*types.InvalidParameterException](t,
		search(rekognition.SearchUsersInput{UserId: new("x"), FaceId: new(nobodysFace)}), "")
	refused[*types.InvalidParameterException](t, search(rekognition.SearchUsersInput{FaceId: new(nobodysFace)}),
		"faceId was not found in the collection.")
	refused[*types.ResourceNotFoundException](t, search(rekognition.SearchUsersInput{UserId: new("nobody")}),
		"The user id: nobody does not exist")
	refused[*types.ResourceNotFoundException](t,
		search(rekognition.SearchUsersInput{CollectionId: new("nobody"), UserId: new("x")}),
		"The collection id: nobody does not exist")
	invalid(t, search(rekognition.SearchUsersInput{UserId: new("x"), MaxUsers: new(int32(501))}), "")
	invalid(t, search(rekognition.SearchUsersInput{UserId: new("x"), UserMatchThreshold: new(float32(-0.5))}), "")
}
