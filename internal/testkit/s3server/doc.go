// Package s3server starts a real S3 server for tests: versitygw, which keeps objects and their versions in a folder. The
// program is built from the tools' module when it is first needed and kept in build/, so that only the first run on a
// machine waits for it (about a minute of two processors).
//
// It knows how to start the server and nothing of who talks to it.
package s3server
