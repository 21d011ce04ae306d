package service

import "context"

// Origin is the request on whose behalf something is done, for records.
type Origin struct {
	// Request is the id that the answer carries.
	Request string
	Caller  Caller
	// Address is where the request came from.
	Address string
}

type originKey struct{}

// WithOrigin says of a context which request it belongs to.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf is the request that a context belongs to; the zero Origin where the process acts by itself.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
