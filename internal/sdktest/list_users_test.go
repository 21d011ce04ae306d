package sdktest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestListUsers(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	none := ok(c.ListUsers(t.Context(), &rekognition.ListUsersInput{CollectionId: id}))(t)
	if none.Users == nil || len(none.Users) != 0 || none.NextToken != nil {
		t.Errorf("nobody is listed as %+v", none)
	}
	want := []string{"dora", "anna", "cleo", "bea", "eve"}
	for _, id1 := range want {
		user(t, c, id, id1)
	}
	face := enrol(t, c, id, anna, "")
	ok(c.AssociateFaces(t.Context(), &rekognition.AssociateFacesInput{CollectionId: id, UserId: new("anna"), FaceIds: []string{face}}))(t)
	var listed []string
	pages := rekognition.NewListUsersPaginator(c, &rekognition.ListUsersInput{CollectionId: id, MaxResults: new(int32(2))})
	for pages.HasMorePages() {
		page := ok(pages.NextPage(t.Context()))(t)
		for _, u := range page.Users {
			listed = append(listed, *u.UserId)
			if active := *u.UserId == "anna"; active != (u.UserStatus == types.UserStatusActive) ||
				!active && u.UserStatus != types.UserStatusCreated {
				t.Errorf("%s is %s", *u.UserId, u.UserStatus)
			}
		}
	}
	if !slices.Equal(listed, want) {
		t.Errorf("listed %v, want %v", listed, want)
	}
	_, err := c.ListUsers(t.Context(), &rekognition.ListUsersInput{CollectionId: new("nobody")})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	_, err = c.ListUsers(t.Context(), &rekognition.ListUsersInput{CollectionId: id, NextToken: new("nonsense")})
	refused[*types.InvalidPaginationTokenException](t, err, "Invalid Pagination Token")
	_, err = c.ListUsers(t.Context(), &rekognition.ListUsersInput{CollectionId: id, MaxResults: new(int32(501))})
	invalid(t, err, "1 validation error detected: Value '501' at 'maxResults' failed to satisfy constraint: "+
		"Member must have value less than or equal to 500")
}
