// Package client does with a server what any program of a user's could do: through its API, by AWS's own SDK, with an access key
// and what that may. It is for work of many requests from a command line: photos of people into a collection, and what a collection
// holds out of it.
//
// Whether the server is Spotter's is no matter; against AWS itself the same requests are made, and are paid for.
package client
