// Package cli is the command line: commands, flags, help, progress on a terminal, quiet lines elsewhere, and exit
// statuses.
//
// It turns words into a request to package app and what comes back into text and files; it imports app and config
// only, and knows no decoder, no model and no wire format. Everything of the process that it touches (arguments,
// streams, environment, clock) comes in with [Process], so a test can be the process.
package cli
