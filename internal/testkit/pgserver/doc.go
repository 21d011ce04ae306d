// Package pgserver runs a PostgreSQL server of the tests' own: a new cluster in a temporary folder, reached by a socket in that
// folder alone, as a user without rights where the tests run as root. It writes nothing durably, and ends with the test program.
//
// It knows nothing of what the databases hold.
package pgserver
