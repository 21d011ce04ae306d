// Package patience lets tests wait for what processes do, on a machine however busy it is.
//
// A wait that counts seconds is either too short for a busy machine or too long for a failure. Here it is the processes that
// spend a test's patience: with the processor time that they use, which is the same on any machine, and with looks at which
// they use none and want none, which are as long as the machine makes them. A process that waits for a processor or for a
// disk spends next to nothing.
//
// It knows processes alone, not what they do. Where the system does not tell what they use (anywhere but on Linux), a look
// costs what it costs when nothing moves.
package patience
