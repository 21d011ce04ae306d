package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	face := enrol(t, c, id, anna, "")
	user(t, c, id, "anna", face)
	in := &rekognition.DeleteUserInput{CollectionId: id, UserId: new("anna"), ClientRequestToken: new("token")}
	ok(c.DeleteUser(t.Context(), in))(t)
	ok(c.DeleteUser(t.Context(), in))(t) // a repetition of the same request
	_, err := c.DeleteUser(t.Context(), &rekognition.DeleteUserInput{CollectionId: id, UserId: new("anna")})
	refused[*types.ResourceNotFoundException](t, err, "The user id: anna does not exist")
	in.UserId = new("bea")
	_, err = c.DeleteUser(t.Context(), in)
	refused[*types.IdempotentParameterMismatchException](t, err,
		"The ClientRequestToken: token you have supplied is already in use.")
	// The face stays, and is nobody's.
	faces := ok(c.ListFaces(t.Context(), &rekognition.ListFacesInput{CollectionId: id}))(t)
	if len(faces.Faces) != 1 || *faces.Faces[0].FaceId != face || faces.Faces[0].UserId != nil {
		t.Errorf("%d faces are left", len(faces.Faces))
	}
	_, err = c.DeleteUser(t.Context(), &rekognition.DeleteUserInput{CollectionId: new("nobody"), UserId: new("anna")})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
}
