// Command gallery measures how fast enrolled faces are searched, as a share of what memory delivers.
//
//	go run ./bench/gallery [--faces 1000000] [--dim 512] [--kernels avx2] [--batch 1,8,64] [--rounds 7] [--json]
//
// It fills a gallery with synthetic unit vectors, and in each round times, one after the other, a loop of vector loads
// over as many bytes as a search reads, in huge pages like the gallery's own, and one search per kernel and batch. The
// best time of all rounds counts, for the limit as for the searches; the median of the rounds' own shares stands beside
// it, because on a machine with neighbours one lucky round is no proof. With a batch, the same bytes are read once for
// many probes, so that arithmetic is the limit and the share says little.
//
// Probes are new pictures of enrolled identities, searched as the product does: those with a score of 0.4 or more.
//
// Afterwards, unless --lean=false, it fills a gallery that leaves its originals elsewhere, and tells how much memory that
// takes, how long it takes to fill it, and how many originals a search asks for.
package main
