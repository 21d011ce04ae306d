package sdktest_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestListCollections(t *testing.T) {
	t.Parallel()
	c := client(t)
	var want []string
	for range 3 {
		want = append(want, *collection(t, c))
	}
	var listed []string
	pages := rekognition.NewListCollectionsPaginator(c, &rekognition.ListCollectionsInput{MaxResults: new(int32(2))})
	for pages.HasMorePages() {
		page := ok(pages.NextPage(t.Context()))(t)
		if n := len(page.CollectionIds); n > 2 || len(page.FaceModelVersions) != n {
			t.Errorf("%d ids, %d versions", n, len(page.FaceModelVersions))
		}
		if pages.HasMorePages() && len(page.CollectionIds) != 2 {
			t.Error("a page in the middle is not full")
		}
		listed = append(listed, page.CollectionIds...)
	}
	// Other tests make collections meanwhile.
	mine := slices.DeleteFunc(listed, func(id string) bool { return !slices.Contains(want, id) })
	if !slices.Equal(mine, want) {
		t.Errorf("listed in the order %v, made in the order %v", mine, want)
	}
	all := ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{MaxResults: new(int32(0))}))(t)
	if all.NextToken != nil || len(all.CollectionIds) < 3 {
		t.Errorf("a page of the usual size has %d ids", len(all.CollectionIds))
	}
}

func TestListCollectionsChecksItsParameters(t *testing.T) {
	t.Parallel()
	c := client(t)
	_, err := c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{MaxResults: new(int32(4097))})
	invalid(t, err, "1 validation error detected: Value '4097' at 'maxResults' failed to satisfy constraint: "+
		"Member must have value less than or equal to 4096")
	_, err = c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{NextToken: new("bm90aGluZw==")})
	refused[*types.InvalidPaginationTokenException](t, err, "Invalid Pagination Token")
}
