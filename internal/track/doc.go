// Package track follows detections over time: it says which detections of successive frames are one face.
//
// It is tracking by detection in two stages, after ByteTrack (Zhang et al., ECCV 2022, arXiv:2110.06864): a Kalman
// filter predicts where each face of the frames before should be; confident detections are given to the predictions
// they overlap first, the doubtful ones to the predictions that are left. A doubtful detection that continues nothing
// is not a face. Confident ones that are left are tried once more with grown boxes, as in C-BIoU (Yang et al., WACV 2023,
// arXiv:2211.14317), which finds faces that move fast.
//
// It sees boxes, confidences and the clock, never pixels or embeddings, and imports only face. Every parameter is a
// duration or a ratio, so that it means the same at every frame rate and resolution. A [Tracker] is deterministic and
// belongs to one goroutine.
package track
