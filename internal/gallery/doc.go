// Package gallery keeps enrolled embeddings in memory and finds the nearest ones to a probe: exactly, on every CPU.
//
// It knows vectors and ids. It refuses to know people, collections, models, files and similarities: who enrols a face
// has aligned, embedded and normalised it, and who searches turns scores into similarities. Neighbours: package search
// declares the port that [Gallery] and [Snapshot] implement; package face has the vocabulary and the arithmetic.
//
// # The answer
//
// The canonical score of two vectors is float32([face.Dot](probe, enrolled)): products of float32 values are exact in
// float64 (24 + 24 bits of mantissa fit in 53), and they are added in float64 from the first element to the last. A
// fused multiply-add rounds such a sum exactly as a multiplication and an addition do, so the score has the same bits on
// every CPU. The answer to a probe is what a loop over all faces would give: those with a canonical score of MinScore or
// more, by score descending and then by id ascending, cut after Limit. Nothing that is done for speed changes it.
//
// # How it is found
//
// Of every face a gallery has 8-bit codes with a scale and the length of the quantisation error. A scan over the codes
// gives an approximate score with a proven error bound (see bound.go); a face that could still belong to the answer
// becomes a candidate, and only candidates are scored canonically, with their float32 vectors, the originals. The scan is
// limited by memory bandwidth for one probe and by arithmetic for many, which are scanned eight at a time.
//
// # Every face within reach
//
// [Gallery.Within] is for who has another lowest score for each face, or wants all faces there are: it ends before the
// last step. It gives the faces that may reach a score, with the bounds of theirs from the probe as it is against the
// codes, and asks for no original.
//
// # Originals
//
// [New] makes a gallery that keeps the originals in memory: for some thousand faces, or where there is no other place for
// them. [NewWithOriginals] makes one that asks for those of the candidates, all probes' together ([Originals]). Before it
// asks it takes the probe as it is against the codes, which halves the candidates. The answers are the same bits, but for
// what happens meanwhile to what is kept elsewhere:
//
//   - A face whose original is gone has been deleted. No search finds it any more, not even in a snapshot from before, and
//     the answer is what it would be had the face not been there: what was dropped for it is looked at again.
//   - An original that is another one than it was lies outside of its bounds; the search fails with [ErrOriginal].
//   - An original that cannot be read makes the search fail with the error.
//
// Such a gallery can be filled with codes that somebody has kept ([Code], [Gallery.AddCodes]), which takes a third of a
// microsecond a face. A code has a checksum and the number of its format; one that is damaged or foreign is passed over.
//
// # Layout
//
// Sixteen faces form a block, the unit that a kernel scans; dimensions are padded with zeros to a multiple of 16:
//
//	codes      padded/4 groups of [16 faces][4 dimensions], a byte each: code + 128, code in -127..127
//	scales     [16]float32: a code times its face's scale is the quantised value
//	residuals  [16]float32: length of (vector - quantised vector), rounded up
//
// Blocks lie one after another in chunks of at most 16,384 faces; a chunk also holds its faces' ids and, where they are
// kept, originals ([face][dim]). Without originals a chunk has at most 8 MiB, which are whole huge pages. A block is written
// once, before anyone can see it. Faces that do not fill a block yet (fewer than 16) wait in a block of their own, the tail,
// which is copied when it changes. On Linux a chunk is its own mapping with huge pages, without which a scan runs at half
// the speed; elsewhere it is a slice.
//
// A face of 512 dimensions takes 512 B of codes, 8 B of scale and residual, 16 B of id and 37 to 55 B in the index of ids:
// 0.6 KB, so that a million faces take 0.6 GB and 20 million 12 GB. Originals in memory take 2,048 B more.
//
// # Concurrency
//
// All methods are safe for concurrent use. Searches of a large gallery, or of one snapshot of it, that are made at the same time are
// made in one scan (see queue.go). Writers take turns; searches never wait for them: each works on an immutable
// view of the gallery, which shares its chunks with the views before and after it. A view counts its readers, a chunk
// counts its views, and memory is unmapped when the last one leaves: it never is while somebody reads it.
package gallery
