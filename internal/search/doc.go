// Package search is the pipeline: one video and one gallery in, sightings out.
//
// It has two halves, so that a long video can be worked on in parallel and a crash costs little. [Analyze] turns one
// stretch of video into tracklets with pooled embeddings; [Finish] joins the tracklets of all stretches into persons
// and matches each of them once. Both are deterministic: the same frames give the same result, bit for bit, in
// whatever order and on however many workers the stretches were analysed.
//
// It declares what it needs ([Frames], [Detector], [Embedder], [Gallery]) and imports only face and track; it knows
// no files, no decoder, no model runtime and no people.
package search
