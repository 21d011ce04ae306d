package sdktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

func TestCreateUser(t *testing.T) {
	t.Parallel()
	c := client(t)
	id := collection(t, c)
	in := &rekognition.CreateUserInput{CollectionId: id, UserId: new("anna"), ClientRequestToken: new("token")}
	ok(c.CreateUser(t.Context(), in))(t)
	ok(c.CreateUser(t.Context(), in))(t) // a repetition of the same request
	_, err := c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: id, UserId: new("anna")})
	refused[*types.ConflictException](t, err, "The user id: anna already exists.")
	in.UserId = new("bea")
	_, err = c.CreateUser(t.Context(), in)
	refused[*types.IdempotentParameterMismatchException](t, err,
		"The ClientRequestToken: token you have supplied is already in use.")
	in.CollectionId = new("nobody")
	_, err = c.CreateUser(t.Context(), in)
	refused[*types.ResourceNotFoundException](t, err, "The collection id: nobody does not exist")
	_, err = c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: id, UserId: new("no blanks")})
	invalid(t, err, `1 validation error detected: Value 'no blanks' at 'userId' failed to satisfy constraint: `+
		`Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-:]+`)
	_, err = c.CreateUser(t.Context(), &rekognition.CreateUserInput{CollectionId: id, UserId: new("x"), ClientRequestToken: new("a.b")})
	invalid(t, err, "")
}
