// Package wire is what the video room and its decoder child say to each other: control messages of fixed size, and the
// layout of a frame in the memory they share.
//
// Messages travel over a SEQPACKET socket pair, one message a packet. The child parses hostile files, so the parent
// believes nothing: every message has exactly one length, says nothing about memory (offsets, strides and sizes follow
// from the [Geometry] that the parent chose), and what it does say is checked by who receives it.
//
// The package knows neither files nor processes; it imports the standard library only.
package wire
