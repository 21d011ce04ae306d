package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDisassociateFaces(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	mine, others, lone := enrol(t, c, id, anna, ""), enrol(t, c, id, bea, ""), enrol(t, c, id, cleo, "")
	user(t, c, id, "anna", mine)
	user(t, c, id, "bea", others)
	in := &rekognition.DisassociateFacesInput{
		CollectionId: id, UserId: new("anna"), FaceIds: []string{mine, others, lone, nobodysFace}, ClientRequestToken: new("token"),
	}
	for range 2 { // the second time is a repetition of the same request
		out := ok(c.DisassociateFaces(t.Context(), in))(t)
		if out.UserStatus != types.UserStatusCreated || len(out.DisassociatedFaces) != 1 || *out.DisassociatedFaces[0].FaceId != mine {
			t.Errorf("%d faces are disassociated, the user is %s", len(out.DisassociatedFaces), out.UserStatus)
		}
		want := map[string]types.UnsuccessfulFaceDisassociationReason{
			others: "ASSOCIATED_TO_A_DIFFERENT_USER", nobodysFace: "FACE_NOT_FOUND",
		}
		if len(out.UnsuccessfulFaceDisassociations) != len(want) {
			t.Errorf("%d faces are not disassociated", len(out.UnsuccessfulFaceDisassociations))
		}
		for _, f := range out.UnsuccessfulFaceDisassociations {
			if len(f.Reasons) != 1 || f.Reasons[0] != want[*f.FaceId] {
				t.Errorf("face %s is not disassociated because of %v", *f.FaceId, f.Reasons)
			}
		}
	}
	found := ok(c.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: stored(anna)}))(t)
	if len(found.UserMatches) != 0 {
		t.Error("a user without faces is found")
	}
}

func TestDisassociateFacesRefuses(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	user(t, c, id, "anna")
	disassociate := func(change func(*rekognition.DisassociateFacesInput)) error {
		in := &rekognition.DisassociateFacesInput{
			CollectionId: id, UserId: new("anna"), FaceIds: []string{nobodysFace}, ClientRequestToken: new("t"),
		}
		change(in)
		_, err := c.DisassociateFaces(t.Context(), in)
		return err
	}
	if err := disassociate(func(*rekognition.DisassociateFacesInput) {}); err != nil {
		t.Error(err)
	}
	refused[*types.IdempotentParameterMismatchException](t,
		disassociate(func(in *rekognition.DisassociateFacesInput) { in.UserId = new("bea") }),
		"The ClientRequestToken: t you have supplied is already in use.")
	refused[*types.ResourceNotFoundException](t,
		disassociate(func(in *rekognition.DisassociateFacesInput) { in.UserId, in.ClientRequestToken = new("nobody"), nil }),
		"The user id: nobody does not exist")
	refused[*types.ResourceNotFoundException](t,
		disassociate(func(in *rekognition.DisassociateFacesInput) { in.CollectionId = new("nobody") }),
		"The collection id: nobody does not exist")
	invalid(t, disassociate(func(in *rekognition.DisassociateFacesInput) { in.FaceIds = make([]string, 101) }), "")
}
