package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestAssociateFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	first, second := enrol(t, c, id, anna, "1"), enrol(t, c, id, anna, "2")
	other, owned := enrol(t, c, id, dora, ""), enrol(t, c, id, bea, "")
	user(t, c, id, "anna")
	user(t, c, id, "bea", owned)
	in := &rekognition.AssociateFacesInput{
		CollectionId: id, UserId: new("anna"), FaceIds: []string{first, second, other, owned, nobodysFace},
		ClientRequestToken: new("token"),
	}
	for range 2 { // the second time is a repetition of the same request
		out := ok(c.AssociateFaces(t.Context(), in))(t)
		if out.UserStatus != types.UserStatusActive || len(out.AssociatedFaces) != 2 || *out.AssociatedFaces[0].FaceId != first {
			t.Errorf("%d faces are associated, the user is %s", len(out.AssociatedFaces), out.UserStatus)
		}
		wantUnsuccessful(t, out, map[string]types.UnsuccessfulFaceAssociationReason{
			other: "LOW_MATCH_CONFIDENCE", owned: "ASSOCIATED_TO_A_DIFFERENT_USER", nobodysFace: "FACE_NOT_FOUND",
		})
	}
	// With no threshold everybody looks alike, and faces that are the user's already are passed over.
	out := ok(c.AssociateFaces(t.Context(), &rekognition.AssociateFacesInput{
		CollectionId: id, UserId: new("anna"), FaceIds: []string{first, other}, UserMatchThreshold: new(float32(0)),
	}))(t)
	if len(out.AssociatedFaces) != 1 || *out.AssociatedFaces[0].FaceId != other || len(out.UnsuccessfulFaceAssociations) != 0 {
		t.Errorf("%d faces are associated, %d not", len(out.AssociatedFaces), len(out.UnsuccessfulFaceAssociations))
	}
}

func wantUnsuccessful(
	t *testing.T, out *rekognition.AssociateFacesOutput, want map[string]types.UnsuccessfulFaceAssociationReason,
) {
	t.Helper()
	if len(out.UnsuccessfulFaceAssociations) != len(want) {
		t.Errorf("%d faces are not associated", len(out.UnsuccessfulFaceAssociations))
	}
	for _, f := range out.UnsuccessfulFaceAssociations {
		reason := want[*f.FaceId]
		if len(f.Reasons) != 1 || f.Reasons[0] != reason {
			t.Errorf("face %s is not associated because of %v, want %s", *f.FaceId, f.Reasons, reason)
		}
		if (f.Confidence != nil) != (reason == types.UnsuccessfulFaceAssociationReasonLowMatchConfidence) {
			t.Errorf("%s with the confidence %v", reason, f.Confidence)
		}
		if (f.UserId != nil) != (reason == types.UnsuccessfulFaceAssociationReasonAssociatedToADifferentUser) {
			t.Errorf("%s with the user %v", reason, f.UserId)
		}
	}
}

func TestAssociateFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	face := enrol(t, c, id, anna, "")
	user(t, c, id, "anna")
	associate := func(change func(*rekognition.AssociateFacesInput)) error {
		in := &rekognition.AssociateFacesInput{CollectionId: id, UserId: new("anna"), FaceIds: []string{face}, ClientRequestToken: new("t")}
		change(in)
		_, err := c.AssociateFaces(t.Context(), in)
		return err
	}
	if err := associate(func(*rekognition.AssociateFacesInput) {}); err != nil {
		t.Error(err)
	}
	refused[*types.IdempotentParameterMismatchException](t,
		associate(func(in *rekognition.AssociateFacesInput) { in.UserMatchThreshold = new(float32(1)) }),
		"The ClientRequestToken: t you have supplied is already in use.")
	refused[*types.ResourceNotFoundException](t,
		associate(func(in *rekognition.AssociateFacesInput) { in.UserId, in.ClientRequestToken = new("nobody"), nil }),
		"The user id: nobody does not exist")
	refused[*types.ResourceNotFoundException](t,
		associate(func(in *rekognition.AssociateFacesInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	invalid(t, associate(func(in *rekognition.AssociateFacesInput) { in.FaceIds = make([]string, 101) }), "")
	invalid(t, associate(func(in *rekognition.AssociateFacesInput) { in.FaceIds = []string{} }), "")
	invalid(t, associate(func(in *rekognition.AssociateFacesInput) { in.UserMatchThreshold = new(float32(100.1)) }), "")
}
