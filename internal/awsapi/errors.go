package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sigv4"
	"github.com/spotter-video/spotter/internal/service"
)

// failure is an answer that is no success.
type failure struct {
	exception string
	status    int
	message   string
	// modelled says that the service model has the exception, which gives its body another form than the front end's.
	modelled bool
	// cause is for the log; nil if there is nothing to log.
	cause error
}

// Error is the message with its cause.
func (f *failure) Error() string {
	if f.cause == nil {
		return f.exception + ": " + f.message
	}
	return f.exception + ": " + f.message + ": " + f.cause.Error()
}

// Unwrap is the cause.
func (f *failure) Unwrap() error { return f.cause }

// rule is how a kind of error is answered.
type rule struct {
	exception string
	status    int
	// text is what the caller is told.
	text func(e *service.Error) string
}

// ruleFor is the table of what becomes of the service's errors. It is complete: a kind that is not in it is a linter's
// finding and answered as internal. The status is 400 for all that the service model does not mark as the server's fault,
// and 500 makes every SDK try again, which is what Unavailable wants.
func ruleFor(kind service.Kind) rule {
	switch kind {
	case service.Invalid:
		return rule{"InvalidParameterException", http.StatusBadRequest, says}
	case service.NotFound:
		return rule{"ResourceNotFoundException", http.StatusBadRequest, says}
	case service.Exists:
		return rule{"ResourceAlreadyExistsException", http.StatusBadRequest, says}
	case service.Conflict:
		return rule{"ConflictException", http.StatusBadRequest, says}
	case service.BadPage:
		return rule{"InvalidPaginationTokenException", http.StatusBadRequest, says}
	case service.TokenReused:
		return rule{"IdempotentParameterMismatchException", http.StatusBadRequest, says}
	case service.BadObject:
		return rule{"InvalidS3ObjectException", http.StatusBadRequest, says}
	case service.BadImage:
		return rule{"InvalidImageFormatException", http.StatusBadRequest, says}
	case service.ImageTooLarge:
		return rule{"ImageTooLargeException", http.StatusBadRequest, says}
	case service.VideoTooLarge:
		return rule{"VideoTooLargeException", http.StatusBadRequest, says}
	case service.TooManyJobs:
		return rule{"LimitExceededException", http.StatusBadRequest, says}
	case service.QuotaExceeded:
		return rule{"ServiceQuotaExceededException", http.StatusBadRequest, says}
	case service.Unavailable, service.Elsewhere:
		return rule{internalServerError, http.StatusInternalServerError, says}
	case service.Internal:
	}
	return rule{internalServerError, http.StatusInternalServerError, keepsQuiet}
}

const internalServerError = "InternalServerError" // without "Exception", unlike all others

func says(e *service.Error) string { return e.Message }

func keepsQuiet(*service.Error) string { return "Internal server error" }

// failureOf is how an error of the service is answered by an operation.
func failureOf(op *operation, in any, err error) *failure {
	e := (*service.Error)(nil)
	if !errors.As(err, &e) {
		e = &service.Error{Kind: service.Internal}
	}
	r := ruleFor(e.Kind)
	f := &failure{exception: r.exception, status: r.status, message: r.text(e), modelled: true}
	if f.status >= http.StatusInternalServerError {
		f.cause = err
	}
	// Rekognition has two sentences for a collection that is not there; this operation has the other one.
	if op.name == "DescribeCollection" && e.Kind == service.NotFound {
		f.message = fmt.Sprintf("Collection:%s not found!", op.collection(in))
	}
	if token := member(in, "ClientRequestToken"); token != "" && e.Kind == service.TokenReused {
		f.message = fmt.Sprintf("The ClientRequestToken: %s you have supplied is already in use.", token)
	}
	return f.declaredBy(op)
}

// declaredBy is the failure with an exception that the operation is declared to throw, so that SDKs raise something typed.
func (f *failure) declaredBy(op *operation) *failure {
	declared, known := model.Lookup(op.name)
	if !known || len(declared.Errors) == 0 || declared.Declares(f.exception) {
		return f
	}
	if f.status < http.StatusInternalServerError {
		f.exception = "InvalidParameterException" // which all 75 operations declare
	} else {
		f.exception = internalServerError
	}
	return f
}

// internal is the answer to what should not have happened.
func internal(err error) *failure {
	return &failure{
		exception: internalServerError, status: http.StatusInternalServerError, message: keepsQuiet(nil), modelled: true, cause: err,
	}
}

// throttled asks the caller to slow down; SDKs do, and try again.
func throttled() *failure {
	return &failure{
		exception: "ThrottlingException", status: http.StatusBadRequest, modelled: true,
		message: "Slow down; sudden increase in rate of requests.",
	}
}

// stopping is the answer of a door that closes; SDKs try again, and may meet the next process.
func stopping() *failure {
	return &failure{
		exception: "ThrottlingException", status: http.StatusInternalServerError, modelled: true, message: "Service Unavailable",
	}
}

func overRate() *failure {
	return &failure{
		exception: "ProvisionedThroughputExceededException", status: http.StatusBadRequest, modelled: true,
		message: "Provisioned rate exceeded.",
	}
}

// frontEnd is a refusal before any operation was reached, in the front end's own form.
func frontEnd(exception string, status int, format string, args ...any) *failure {
	return &failure{exception: exception, status: status, message: fmt.Sprintf(format, args...)}
}

// refusalOf is how a bad signature is answered: with status 400 as the JSON services do, and not 403 as others.
func refusalOf(err error) *failure {
	refusal := (*sigv4.Error)(nil)
	if !errors.As(err, &refusal) {
		return internal(err)
	}
	exception := "InvalidSignatureException"
	switch refusal.Reason {
	case sigv4.Missing:
		exception = "MissingAuthenticationTokenException"
	case sigv4.Incomplete:
		exception = "IncompleteSignatureException"
	case sigv4.Unrecognized:
		exception = "UnrecognizedClientException"
	case sigv4.Expired:
		exception = "ExpiredTokenException"
	case sigv4.Invalid:
	}
	return frontEnd(exception, http.StatusBadRequest, "%s", refusal.Message)
}

// undecodable is how a body that is not of the operation's shape is answered.
func undecodable(err error) *failure {
	if e := (*model.SerializationError)(nil); errors.As(err, &e) {
		return frontEnd("SerializationException", http.StatusBadRequest, "%s", e.Message)
	}
	if e := (*model.ValidationError)(nil); errors.As(err, &e) {
		return frontEnd("ValidationException", http.StatusBadRequest, "%s", e.Error())
	}
	return internal(err)
}

// asFailure is any error as an answer, and its code for logs and metrics. Where the context has ended, whatever went wrong
// went wrong because of that: the caller has left, or the server stops.
func asFailure(ctx context.Context, err error) (f *failure, code string) {
	if !errors.As(err, &f) {
		f = internal(err)
	}
	if ctx.Err() != nil && f.status >= http.StatusInternalServerError {
		return stopping(), "Aborted"
	}
	return f, f.exception
}

// body is the failure on the wire. The name stands there bare and in both members, because some SDKs read only one; the
// header X-Amzn-ErrorType is not sent, because some believe it more than the body.
func (f *failure) body(requestID string) ([]byte, error) {
	if !f.modelled {
		return json.Marshal(struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}{f.exception, f.message})
	}
	return json.Marshal(struct {
		Type    string `json:"__type"`
		Code    string
		Logref  string
		Message string
	}{f.exception, f.exception, requestID, f.message})
}
