// Package s3server starts a real S3 server for tests and the walk-through: versitygw, which keeps objects and their versions
// in a folder. Building it the first time takes about a minute of two processors, see package program.
//
// It knows how to start the server and nothing of who talks to it.
package s3server
