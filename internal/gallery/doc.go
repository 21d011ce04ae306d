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
// Every face is stored twice: as float32 values, and as 8-bit codes with a scale and the length of the quantisation
// error. A scan over the codes gives an approximate score with a proven error bound (see bound.go); a face that could
// still belong to the answer becomes a candidate, and only candidates are scored canonically. The scan is limited by
// memory bandwidth for one probe and by arithmetic for many, which are scanned eight at a time.
//
// # Layout
//
// Sixteen faces form a block, the unit that a kernel scans; dimensions are padded with zeros to a multiple of 16:
//
//	codes      padded/4 groups of [16 faces][4 dimensions], a byte each: code + 128, code in -127..127
//	scales     [16]float32: a code times its face's scale is the quantised value
//	residuals  [16]float32: length of (vector - quantised vector), rounded up
//
// Blocks lie one after another in chunks of at most 16,384 faces and 8 MiB of codes; a chunk also holds its faces'
// float32 rows ([face][dim]) and ids. A block is written once, before anyone can see it. Faces that do not fill a block
// yet (fewer than 16) wait as plain rows, which are copied when they change and are scored canonically. On Linux a
// chunk is its own mapping with huge pages, without which a scan runs at half the speed; elsewhere it is a slice.
//
// A face of 512 dimensions takes 512 B of codes, 8 B of scale and residual, 2,048 B of float32 values, 16 B of id and
// 37 to 55 B in the index of ids: 2.6 KB, so that a million faces take 2.6 GB and 20 million 53 GB.
//
// # Concurrency
//
// All methods are safe for concurrent use. Writers take turns; searches never wait for them: each works on an immutable
// view of the gallery, which shares its chunks with the views before and after it. A view counts its readers, a chunk
// counts its views, and memory is unmapped when the last one leaves: it never is while somebody reads it.
package gallery
