// Package sandbox takes away from the calling process what a decoder of strangers' files does not need: resource limits,
// then Landlock (files, network, signals), then seccomp (system calls). None of it needs a privilege, and none of it can
// be undone by the process.
//
// There are two profiles. The [Decoder] profile leaves a process that can compute, read the descriptors it was given
// and talk over them: no files, no sockets, no new programs, no new processes, no executable memory. The [Tool] profile
// is for running the ffmpeg command line: it may start that one program, read libraries and fonts, and write at most one
// file.
//
// The package knows nothing of video. It is used by spotter-decode and by the stage that starts ffmpeg.
package sandbox
