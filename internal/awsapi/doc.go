// Package awsapi is Spotter's AWS JSON 1.1 door: Amazon Rekognition's face API in AWS's own spelling, on one path, as an
// [http.Handler]. Names, constraints and units are those of the official service model (rekognition, 2016-06-27).
//
// A request passes the signature check (internal/sigv4), the dispatch table, its shape's constraints (internal/model) and its
// caller's policy (internal/iam), in [Door]. The operations, in the files op_*.go, are thin: each turns an input shape into a
// request of the [Service], and what that answers into an output shape. [WriteFaceSearch] writes the same shapes without a
// server.
//
// It is the only room that knows AWS's spellings, and the only one that counts time in milliseconds. It knows the words of
// packages face and service, and nothing of how faces are found or kept, nor where they are.
package awsapi
