// Peers compares Spotter with what one would use without it, in one run, on the same clips and by the same scorer: what each
// costs in processor time (its children included), and whom it names.
//
//	go run ./bench/peers                                   # all evaluation clips, one round
//	go run ./bench/peers --clips koffee,hamilton --rounds 3
//
// All look at five frames a second, search for the same photos, and take turns, so that a machine that changes its speed changes
// all. Nothing is kept between runs. The peers are meant to be as good as their kind can be:
//
//   - Spotter: the program as it is, with one worker and without its cache of photos.
//   - loop: what a good engineer writes in an afternoon with the models that Spotter has. ffmpeg decodes, and makes the picture of
//     640 columns that the detector sees; each face of each frame is aligned and embedded, and named after the enrolled photo
//     that is nearest, from a cosine of 0.42 up: one pair of strangers in 10,000 (docs/decisions/0003). It calls Spotter's own
//     recognizer, and so has its fast I420 input, its second check of what is a face and its closer looks at small ones, which
//     are more than an afternoon's work; it has no tracks, no pooling, no cohort and no templates made for video. onnxruntime
//     computes with one thread. It runs twice: each face embedded once, as most do, and with its mirror image, as the model pack
//     recommends.
//   - face-api: npm's @vladmandic/face-api, which brings models of its own, under Node. The backend is TensorFlow.js's
//     WebAssembly with SIMD: tfjs-node needs a library that is downloaded by an install script, and the plain JavaScript backend is
//     slower by TensorFlow.js's own figures. The detector is SSD MobileNet v1, the larger of the package's two, with its defaults (a
//     confidence of 0.5, a hundred faces); landmarks are the 68 points; people are told apart by its FaceMatcher: mean Euclidean
//     distance to a person's photos, at most 0.6. ffmpeg hands it whole frames, as it cuts the faces that it describes out of them.
//
// Each is scored at its documented threshold; Spotter also at 71, which as many strangers reach as the loop's 0.42, and face-api
// at 0.5, as in its example for Node. Beside that stands what it finds at the lowest threshold of its own that names
// nobody wrongly in these clips: no one knows that one beforehand, but it shows what is the threshold's doing. Start and enrolment
// are part of the cost, and weigh more in short clips.
//
// npm's packages are installed into bench/peers on the first run, by the lock file and without running their scripts. Where that
// fails, or the evaluation data are missing, the program says what it skipped.
package main
