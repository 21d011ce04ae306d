package awsapi

import (
	"context"
	"fmt"

	"github.com/spotter-video/spotter/internal/service"
)

// operation is one entry of the dispatch table.
type operation struct {
	// name is what X-Amz-Target says after "RekognitionService."; an operation beyond AWS carries its own prefix, as in
	// "SpotterService.ListJobs".
	name string
	// collection is the id of the collection that the request is about, and that a policy may speak of; empty where there
	// is none. Nil for operations that are never about one.
	collection func(in any) string
	// pass is the ARN of the role that the request hands on; empty where there is none. Nil for operations that never do.
	pass func(in any) string
	// handle does it; what it returns is the answer's body, nil for an empty object. Errors are the service's.
	handle func(ctx context.Context, s Service, c call, in any) (any, error)
	// input makes a new, empty input to decode a request into.
	input func() any
}

// call is what an operation is told of a request beside its input.
type call struct {
	// caller asks; its name is the ARN of the user, as messages give it.
	caller          service.Caller
	region, account string
	// neutral says of attributes that are not known that they are as likely as not, instead of nothing.
	neutral bool
	// arn is the ARN of a collection.
	arn func(service.CollectionID) string
	// requestID is that of the answer.
	requestID string
}

// define makes an operation of its input and output shapes; collection may be nil.
func define[In, Out any](
	name string, collection func(*In) string, handle func(ctx context.Context, s Service, c call, in *In) (*Out, error),
) operation {
	op := operation{
		name:  name,
		input: func() any { return new(In) },
		handle: func(ctx context.Context, s Service, c call, in any) (any, error) {
			typed, err := inputOf[In](name, in)
			if err != nil {
				return nil, err
			}
			out, err := handle(ctx, s, c, typed)
			if err != nil || out == nil { // a nil *Out in an any would not be nil
				return nil, err
			}
			return out, nil
		},
	}
	if collection != nil {
		op.collection = ask(collection)
	}
	return op
}

// passing is op for requests that may hand on a role.
func passing[In any](op operation, role func(*In) string) operation {
	op.pass = ask(role)
	return op
}

// ask gives a question about one shape the form that the dispatch table has.
func ask[In any](question func(*In) string) func(any) string {
	return func(in any) string {
		typed, ok := in.(*In)
		if !ok {
			return ""
		}
		return question(typed)
	}
}

func inputOf[In any](name string, in any) (*In, error) {
	typed, ok := in.(*In)
	if !ok {
		return nil, fmt.Errorf("%s: input is a %T and not a %T", name, in, typed)
	}
	return typed, nil
}
