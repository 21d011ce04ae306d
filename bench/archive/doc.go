// Command archive measures how fast people are found in a large archive of analysed videos.
//
//	go run ./bench/archive [--clips 2000] [--tracklets 1000000] [--questions 200] [--keep FILE] [--json]
//
// It indexes a short film of group photos for good, and makes an archive of many clips out of that: each clip has stretches of
// the film's, with the faces of strangers in place of the film's own: random ones, of which no two are alike (of real strangers some are: that
// makes a candidate in a hundred thousand more). One in some thousand is one of the film's people, with noise as between two views of a face. So an archive is
// made in minutes that would take days to analyse, and has what a real one has: tracklets, portraits, times, sizes.
//
// Then it asks who is in which clips, one person at a time, as 'spotter find' does: it reads what all tracklets are looked through by
// (once), looks the person up among all tracklets, and finishes the clips in which the person may be. Beside the times stands a plain read
// of as many bytes of memory as a question looks at, in the same run. It checks for a part of the clips that those and no others are found
// in which a search of each one by itself finds the person; a difference is an error.
//
// A million tracklets need some 11 GB of disk in the temporary folder (TMPDIR), and ten minutes.
package main
