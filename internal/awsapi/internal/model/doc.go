// Package model is Rekognition's service model in Go: the shapes of the supported operations as structs, what may stand in
// their members as descriptors, and the names and declared errors of all operations.
//
// [Decode] reads a request's body into its shape and says what is wrong with it in AWS's words; [CheckOutput] holds a
// response against its shape. The tables are generated from the official service model, facts only; regenerate them with
//
//	go generate ./internal/awsapi/...
//
// Its neighbours are the door, which turns its errors into answers, and the operations, which fill its structs. It knows
// no HTTP, no service and no faces.
//
// # Structs
//
// Members are spelled as on the wire. A member that is absent is nil, or empty for a string; it is never written as null.
// Scalars are pointers and lists slices, so that 0, false and an empty list can be said: a slice that is not nil is written
// even if it is empty.
package model

//go:generate go run ./gen -out .
