// Package video turns video files from strangers into timed pictures.
//
// A [Decoder] plans a file (what it is, where it can be cut) and opens segments of it as a [Stream] of frames. Decoding
// happens in a child process, spotter-decode, that has no rights beyond computing: its input is an inherited
// descriptor, its output a ring of shared memory, its voice a few control messages that this package does not believe
// without checking. A child that crashes, hangs or lies fails its stretch of video with a reason and nothing else.
// Where the child program is missing, the ffmpeg command line does the work in the same kind of sandbox.
//
// Times are presentation times from the start of the container, as a player shows them: MP4, Matroska and AVI have a
// time line that starts at 0, a transport stream starts with its first packet. Frames are upright, have the size that
// they were coded with (which may change within a video), square pixels and 8-bit I420 samples, and carry their colour matrix and range. Which frames are chosen depends on the file and the
// sample rate, not on how the file is cut; the ffmpeg command line, which cannot plan, chooses neighbouring ones.
//
// What the sandbox cannot promise: a child taken over by a hostile file can draw what it likes into the pictures, also
// while they are being read. Sizes stay within the limits and times within what was planned, so a wrong picture is
// the worst that comes of it, and a wrong picture is what a hostile file could have contained anyway.
//
// The package knows no faces, no models and no storage. Neighbours: wire (messages), sandbox, sampling (which frames).
package video
