package sdktest_test

import (
	"cmp"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestIndexFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	in := &rekognition.IndexFacesInput{CollectionId: id, Image: stored(anna), ExternalImageId: new("anna:1")}
	out := ok(c.IndexFaces(t.Context(), in))(t)
	if len(out.FaceRecords) != 1 || out.UnindexedFaces == nil || *out.FaceModelVersion == "" || out.OrientationCorrection != "" {
		t.Fatalf("answered with %+v", out)
	}
	face, detail := out.FaceRecords[0].Face, out.FaceRecords[0].FaceDetail
	if *face.ExternalImageId != "anna:1" || face.UserId != nil || *face.Confidence < 90 ||
		face.IndexFacesModelVersion == nil || *face.BoundingBox.Left != *detail.BoundingBox.Left {
		t.Errorf("the face is %+v", face)
	}
	if box := face.BoundingBox; *box.Width < 0.2 || *box.Width > 0.9 || *box.Left < 0 || *box.Top < 0 {
		t.Errorf("the box is %v, %v, %v, %v", *box.Left, *box.Top, *box.Width, *box.Height)
	}
	wantDefaultAttributes(t, detail)
	wantNoFurtherAttributes(t, detail)

	// The same photo as bytes is the same face; with another name it is another.
	in.Image = sent(t, anna)
	again := ok(c.IndexFaces(t.Context(), in))(t)
	if got := again.FaceRecords[0].Face; *got.FaceId != *face.FaceId || *got.ImageId != *face.ImageId {
		t.Errorf("indexed again as face %s of image %s", *got.FaceId, *got.ImageId)
	}
	in.ExternalImageId = new("anna:2")
	other := ok(c.IndexFaces(t.Context(), in))(t)
	if got := other.FaceRecords[0].Face; *got.FaceId == *face.FaceId || *got.ImageId != *face.ImageId {
		t.Errorf("indexed by another name as face %s of image %s", *got.FaceId, *got.ImageId)
	}
	wantFaces(t, c, id, 2)

	in.CollectionId = collection(t, c)
	elsewhere := ok(c.IndexFaces(t.Context(), in))(t)
	if got := elsewhere.FaceRecords[0].Face; *got.FaceId == *other.FaceRecords[0].Face.FaceId || *got.ImageId != *face.ImageId {
		t.Errorf("indexed in another collection as face %s of image %s", *got.FaceId, *got.ImageId)
	}
}

// TestACommandLineKnowsAPhotoByTheSameID searches with the photo that a collection holds.
func TestACommandLineKnowsAPhotoByTheSameID(t *testing.T) {
	t.Parallel()
	c, w := client(t), here(t)
	out := ok(c.IndexFaces(t.Context(), &rekognition.IndexFacesInput{CollectionId: collection(t, c), Image: stored(anna)}))(t)
	document, err := exec.CommandContext(t.Context(), w.spotter, "search", w.path("clip.mp4"), "--faces", w.path(anna), "--json",
		"--quiet", "--models", filepath.Join(w.root, "models", "default")).Output()
	if want := `"ImageId":"` + *out.FaceRecords[0].Face.ImageId + `"`; err != nil || !strings.Contains(string(document), want) {
		t.Errorf("%v, no %s in what is found", err, want)
	}
}

func wantFaces(t *testing.T, c *rekognition.Client, id *string, n int64) {
	t.Helper()
	out := ok(c.DescribeCollection(t.Context(), &rekognition.DescribeCollectionInput{CollectionId: id}))(t)
	if *out.FaceCount != n {
		t.Errorf("there are %d faces, want %d", *out.FaceCount, n)
	}
}

func TestIndexFacesOfAGroup(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	group := &rekognition.IndexFacesInput{CollectionId: id, Image: stored("group.png"), QualityFilter: types.QualityFilterNone}
	all := ok(c.IndexFaces(t.Context(), group))(t)
	if len(all.FaceRecords) < 4 || len(all.UnindexedFaces) != 0 {
		t.Fatalf("%d faces indexed, %d not", len(all.FaceRecords), len(all.UnindexedFaces))
	}
	area := func(r types.FaceRecord) float32 { return *r.Face.BoundingBox.Width * *r.Face.BoundingBox.Height }
	if !slices.IsSortedFunc(all.FaceRecords, func(a, b types.FaceRecord) int { return cmp.Compare(area(b), area(a)) }) {
		t.Error("the faces are not sorted by size")
	}
	group.MaxFaces, group.ExternalImageId = new(int32(2)), new("two")
	two := ok(c.IndexFaces(t.Context(), group))(t)
	if len(two.FaceRecords) != 2 || len(two.UnindexedFaces) != len(all.FaceRecords)-2 {
		t.Errorf("%d faces indexed, %d not", len(two.FaceRecords), len(two.UnindexedFaces))
	}
	for _, f := range two.UnindexedFaces {
		if !slices.Equal(f.Reasons, []types.Reason{types.ReasonExceedsMaxFaces}) || f.FaceDetail.BoundingBox == nil {
			t.Errorf("a face is not indexed because of %v", f.Reasons)
		}
	}
	for i, f := range two.FaceRecords {
		if *f.Face.BoundingBox.Left != *all.FaceRecords[i].Face.BoundingBox.Left {
			t.Errorf("face %d is not the same one", i)
		}
	}
	wantFaces(t, c, id, int64(len(all.FaceRecords)+2))
}

// TestIndexFacesFilters indexes faces of some 35 pixels: too small for AUTO, and for none else.
func TestIndexFacesFilters(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	for filter, small := range map[types.QualityFilter]bool{
		"": true, types.QualityFilterAuto: true, types.QualityFilterMedium: true, types.QualityFilterHigh: true,
		types.QualityFilterLow: false, types.QualityFilterNone: false,
	} {
		out := ok(c.IndexFaces(t.Context(), &rekognition.IndexFacesInput{
			CollectionId: id, Image: stored("small.jpg"), QualityFilter: filter,
		}))(t)
		if small != (len(out.FaceRecords) == 0) || len(out.FaceRecords)+len(out.UnindexedFaces) != 1 {
			t.Errorf("with the filter %q %d faces are indexed and %d are not", filter, len(out.FaceRecords), len(out.UnindexedFaces))
			continue
		}
		if small && !slices.Contains(out.UnindexedFaces[0].Reasons, types.ReasonSmallBoundingBox) {
			t.Errorf("with the filter %q the reasons are %v", filter, out.UnindexedFaces[0].Reasons)
		}
	}
}

func TestIndexFacesOfNobody(t *testing.T) {
	t.Parallel()
	c := client(t)
	out := ok(c.IndexFaces(t.Context(), &rekognition.IndexFacesInput{CollectionId: collection(t, c), Image: stored("blank.jpg")}))(t)
	if out.FaceRecords == nil || out.UnindexedFaces == nil || len(out.FaceRecords)+len(out.UnindexedFaces) != 0 {
		t.Errorf("answered with %+v", out)
	}
}

func TestIndexFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	index := func(change func(*rekognition.IndexFacesInput)) error {
		in := &rekognition.IndexFacesInput{CollectionId: id, Image: stored(anna)}
		change(in)
		_, err := c.IndexFaces(t.Context(), in)
		return err
	}
	refusedForItsImage(t, func(i *types.Image) error {
		return index(func(in *rekognition.IndexFacesInput) { in.Image = i })
	})
	refused[*types.ResourceNotFoundException](t,
		index(func(in *rekognition.IndexFacesInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	invalid(t, index(func(in *rekognition.IndexFacesInput) { in.ExternalImageId = new("train/x.PNG") }),
		`1 validation error detected: Value 'train/x.PNG' at 'externalImageId' failed to satisfy constraint: `+
			`Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-:]+`)
	invalid(t, index(func(in *rekognition.IndexFacesInput) { in.MaxFaces = new(int32(0)) }),
		"1 validation error detected: Value '0' at 'maxFaces' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1")
	invalid(t, index(func(in *rekognition.IndexFacesInput) { in.QualityFilter = "BEST" }),
		"1 validation error detected: Value 'BEST' at 'qualityFilter' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [NONE, AUTO, LOW, MEDIUM, HIGH]")
	invalid(t, index(func(in *rekognition.IndexFacesInput) { in.DetectionAttributes = []types.Attribute{"HAIR"} }), "")
	wantFaces(t, c, id, 0)
}
