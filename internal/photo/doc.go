// Package photo turns the bytes of a still picture into an upright [face.Picture] in RGB: the photos that people are
// enrolled from. It reads JPEG and PNG, by content and never by name, and says in a sentence what is wrong with
// anything else.
//
// The bytes come from strangers. Sizes are read from the header and held against [Limits] before a pixel is decoded,
// text and unknown chunks are skipped and never inflated, and the scans of a progressive JPEG are counted, so that
// the cost of a file is bounded by its declared and accepted size.
//
// It knows bytes and pixels: no paths, no people, no faces.
package photo
