package bucket

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// errWrongRange means that a server has sent other bytes than those asked for.
var errWrongRange = errors.New("the answer does not begin where it was asked to")

// serverError says what a failed request means for an object. It is the context's own error if that has ended.
func serverError(ctx context.Context, o Object, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e := codeError(o, err); e != nil {
		return e
	}
	switch s := status(err); s {
	case http.StatusPreconditionFailed, http.StatusNotModified, http.StatusRequestedRangeNotSatisfiable:
		return changed(o)
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone: // 405: the version is a mark of deletion
		return fail(NotFound, err, "There is no such object %q in bucket %q.", o.Key, o.Bucket)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fail(Denied, err, "Object %q of bucket %q may not be read with the credentials set for the bucket, "+
			"or is not there: check its name and their permissions.", o.Key, o.Bucket)
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return wrongRegion(o, err)
	case http.StatusBadRequest:
		return badRequest(o, err)
	case 0:
		return fail(Unavailable, err, "The server of bucket %q cannot be reached.", o.Bucket)
	default:
		return fail(Unavailable, err, "The server of bucket %q has failed with status %d.", o.Bucket, s)
	}
}

// checkError passes over a refusal by a server that knows who is asking.
func checkError(ctx context.Context, bucket string, err error) error {
	switch {
	case err == nil || code(err) == "AccessDenied":
		return nil
	case status(err) == http.StatusNotFound:
		return noBucket(bucket, err)
	}
	return serverError(ctx, Object{Bucket: bucket}, err)
}

// codeError knows errors by their codes, which answers to HEAD do not have; nil if it does not.
func codeError(o Object, err error) error {
	switch code(err) {
	case "NoSuchBucket":
		return noBucket(o.Bucket, err)
	case "NoSuchVersion":
		return fail(NotFound, err, "Object %q has no version %q.", o.Key, o.Version)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		return fail(Denied, err, "The server of bucket %q refuses the credentials it is asked with: correct or renew them.",
			o.Bucket)
	case "RequestTimeTooSkewed":
		return fail(Unavailable, err, "The clocks of this machine and of the server of bucket %q differ: set them.", o.Bucket)
	case "InvalidObjectState":
		return archived(o, err)
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "IncorrectEndpoint", "IllegalLocationConstraintException":
		return wrongRegion(o, err)
	case "InvalidBucketName", "KeyTooLongError", "InvalidURI":
		return fail(Invalid, err, "The server refuses the name %q in bucket %q.", o.Key, o.Bucket)
	case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable":
		return fail(Unavailable, err, "The server of bucket %q is overloaded or failing.", o.Bucket)
	}
	return nil
}

// badRequest is an answer without a code: to a HEAD.
func badRequest(o Object, err error) error {
	switch {
	case header(err, "X-Amz-Bucket-Region") != "":
		return wrongRegion(o, err)
	case o.Version != "":
		return fail(NotFound, err, "Object %q has no version %q.", o.Key, o.Version)
	}
	return fail(Denied, err, "The server of bucket %q refuses the request for %q: check that name, the endpoint, the region "+
		"and the credentials.", o.Bucket, o.Key)
}

func wrongRegion(o Object, err error) error {
	if region := header(err, "X-Amz-Bucket-Region"); region != "" {
		return fail(Denied, err, "Bucket %q is in region %q: set that region for it.", o.Bucket, region)
	}
	return fail(Denied, err, "Bucket %q is in another region or at another endpoint: set its own.", o.Bucket)
}

func noBucket(name string, err error) error {
	return fail(NotFound, err, "There is no bucket %q on its server.", name)
}

func archived(o Object, err error) error {
	return fail(Denied, err, "Object %q is archived: restore it first.", o.Key)
}

// brokenOff is for transfers that do not get on.
func brokenOff(ctx context.Context, o Object, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return fail(Unavailable, err, "The download of object %q from bucket %q breaks off again and again.", o.Key, o.Bucket)
}

// code is the server's name of an error; empty if it gave none.
func code(err error) string {
	if e := smithy.APIError(nil); errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// status is that of the answer; 0 if there was none.
func status(err error) int {
	if e := (*smithyhttp.ResponseError)(nil); errors.As(err, &e) && e.Response != nil {
		return e.HTTPStatusCode()
	}
	return 0
}

func header(err error, name string) string {
	if e := (*smithyhttp.ResponseError)(nil); errors.As(err, &e) && e.Response != nil {
		return e.Response.Header.Get(name)
	}
	return ""
}
