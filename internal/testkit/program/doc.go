// Package program builds and runs the servers that tests and the walk-through talk to: commands that the tools' module
// (tools/go.mod) pins. They are built when they are first needed and kept in build/tools, so that only the first run on a
// machine waits for them.
//
// It knows nothing of what the servers do.
package program
