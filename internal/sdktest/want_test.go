package sdktest_test

import (
	"errors"
	"net/http"
	"reflect"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"
)

// refused wants a request to be refused with an exception of the SDK's types and with this text; an empty text is any.
func refused[E interface {
	error
	smithy.APIError
}](t *testing.T, err error, message string) {
	t.Helper()
	var e E
	if !errors.As(err, &e) {
		t.Errorf("got  %v\nwant %s: %s", err, reflect.TypeFor[E](), message)
		return
	}
	if message != "" && e.ErrorMessage() != message {
		t.Errorf("%s says\n     %s\nwant %s", e.ErrorCode(), e.ErrorMessage(), message)
	}
	status := http.StatusBadRequest
	if _, fault := any(e).(*types.InternalServerError); fault {
		status = http.StatusInternalServerError
	}
	wantStatus(t, err, status)
}

// refusedBy wants a request to be refused with an exception that the service model does not have.
func refusedBy(t *testing.T, err error, code, message string) {
	t.Helper()
	e := (*smithy.GenericAPIError)(nil)
	if !errors.As(err, &e) || e.Code != code || message != "" && e.Message != message {
		t.Errorf("got  %v\nwant %s: %s", err, code, message)
		return
	}
	wantStatus(t, err, http.StatusBadRequest)
}

// invalid wants the constraints of the service model to be violated.
func invalid(t *testing.T, err error, message string) {
	t.Helper()
	refusedBy(t, err, "ValidationException", message)
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	e := (*awshttp.ResponseError)(nil)
	if !errors.As(err, &e) || e.HTTPStatusCode() != status || e.ServiceRequestID() == "" {
		t.Errorf("%v\nwant the status %d and a request id", err, status)
	}
}

// ok ends the test if there is an error.
func ok[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
