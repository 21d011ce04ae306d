// Package recognizer turns pictures into detections, detections into aligned crops, and crops into embeddings; asked
// for it, it also tells what a detected face looks like. It works with a model pack, a folder of ONNX models with a
// manifest that says what they are and how they want to be fed, so that other models plug in without code.
//
// It imports face and its own inner rooms (onnx runs models, raster moves pixels, onnxgraph edits model files) and
// knows no time, tracks, people, files of pictures or video. A [Recognizer] belongs to one goroutine; a worker each
// makes its own from a shared [Runtime] and [Pack].
package recognizer
