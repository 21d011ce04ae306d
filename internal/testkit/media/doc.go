// Package media makes photos and videos of people for tests and for the demo, out of the group photos that come with the
// npm package @vladmandic/face-api (MIT). The people's names are made up.
//
// Photos to look for are never the picture that is in a video: they are mirrored and scaled, or taken from another photo of
// the same person. Everything is made by ffmpeg, in a second or two, so that the repository holds no pictures of people.
//
// It knows nothing of who searches, nor of what is found.
package media
