// Package track follows detections over time: it says which detections of successive frames are one face.
//
// It is tracking by detection in two stages, after ByteTrack (Zhang et al., ECCV 2022, arXiv:2110.06864): a Kalman
// filter predicts where each face of the frames before should be; confident detections are given to the predictions
// they overlap first, the doubtful ones to the predictions that are left. A doubtful detection that continues nothing
// is not a face.
//
// It sees boxes, confidences and the clock, never pixels or embeddings, and imports only face. Every parameter is a
// duration or a ratio, so that it means the same at every frame rate and resolution. A [Tracker] is deterministic and
// belongs to one goroutine.
package track
