// Package sampling decides which frames of a video are looked at, and which packets need not be decoded for them.
//
// The frames wanted lie on one grid for the whole file: its first frame's time plus k steps. What is chosen for a grid
// point depends only on the frames between two neighbouring keyframes, never on where decoding started, so a file gives
// the same frames in one piece and in many.
//
// The package is arithmetic on timestamps; it knows no container, codec or pixel.
package sampling
