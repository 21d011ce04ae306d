// Package operator is what the operator of a server does from a command line: access keys, temporary credentials, jobs.
//
// An [Operator] works on what the server keeps and not on the server: beside one that runs or without one, and what it changes
// holds at once. Every change is written to the audit log. It opens no database and reads no configuration: whoever makes it
// hands it a store and what of the server's settings matters here.
//
// What its methods return is for people and scripts: the fields' JSON names are part of the commands' output. Errors are
// [*fault.UsageError] for what does not exist or cannot be meant, [*fault.EnvironmentError] for a key file that is missing or
// another database's, and those of the store and of files. An Operator is safe for concurrent use as far as its store is.
package operator
