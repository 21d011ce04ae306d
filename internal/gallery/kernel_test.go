package gallery

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scanned is what a kernel writes.
type scanned struct {
	Approx []float32
	Masks  []uint16
}

// scanAll scans the blocks of a chunk with one kernel, for all queries at once.
func scanAll(k kernel, c *chunk, blocks int, queries []query, cuts []float32) scanned {
	scan, out := prepareScan(k, c, blocks, queries, cuts)
	scan()
	return out
}

// prepareScan makes a function that scans and writes what it finds into out.
func prepareScan(k kernel, c *chunk, blocks int, queries []query, cuts []float32) (scan func(), out scanned) {
	width, run := 1, k.one
	if len(queries) > 1 {
		width, run = lanes, k.eight
	}
	out = scanned{Approx: make([]float32, blocks*width*blockFaces), Masks: make([]uint16, blocks*width)}
	codes := make([]byte, c.shape.groups*width*k.packedBytes)
	a := &scanArgs{
		blocks: c.blocks,
		count:  blocks,
		groups: c.shape.groups,
		codes:  codes,
		approx: out.Approx,
		masks:  out.Masks,
	}
	for i := range queries {
		a.extras.raise(i, k.pack(codes, queries[i].codes, i, width))
		a.correction[i] = k.offset * queries[i].quantised.sum
		a.scale[i] = queries[i].quantised.scale
		a.norm[i] = queries[i].quantised.norm
		a.threshold[i] = cuts[i]
	}
	for i := len(queries); i < lanes; i++ {
		a.threshold[i] = nothing()
	}
	return func() { run(a) }, out
}

func newTestChunk(tb testing.TB, s *shape, rows [][]float32) *chunk {
	tb.Helper()
	c, err := newChunk(s, 1)
	if err != nil {
		tb.Fatal(err)
	}
	fillChunk(c, rows)
	return c
}

func fillChunk(c *chunk, rows [][]float32) {
	scratch := newScratch(&c.shape)
	for slot, row := range rows {
		c.encode(slot, number(slot), row, scratch)
	}
}

func testQuery(s *shape, v []float32) query {
	q := query{vector: v, limit: 1, floor: new(floor), codes: make([]int8, s.padded)}
	q.quantised = quantise(q.codes, v)
	return q
}

// reach is what the kernels compare with the threshold, in the one order of operations that they must keep to.
func reach(approx, residual, norm float32) float32 { return approx + float32(residual*norm) }

func TestKernelsGiveTheSameBits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newSeeded(rapid.Uint64().Draw(t, "seed"))
		s := newShape(rapid.SampledFrom([]int{1, 3, 15, 16, 17, 31, 64, 100, 128, 512, 513}).Draw(t, "dim"))
		blocks := rapid.IntRange(1, 5).Draw(t, "blocks")
		s.faces = blocks * blockFaces
		rows := vectors(d, s.faces, s.dim)
		c, err := newChunk(&s, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer c.discard()
		fillChunk(c, rows)
		queries := make([]query, rapid.IntRange(1, lanes).Draw(t, "probes"))
		cuts := make([]float32, len(queries))
		for i := range queries {
			queries[i] = testQuery(&s, vector(d, s.dim, rows))
		}
		want := expectScan(c, blocks, queries)
		for i := range queries { // cuts that lie exactly on what a face reaches
			f := d.below(len(rows))
			cuts[i] = reach(want[i][f], c.residual(f), queries[i].quantised.norm)
		}
		for _, k := range kernels() {
			checkScan(t, k, c, blocks, queries, cuts, want)
		}
	})
}

// expectScan computes approximate scores from the stored bytes, without a kernel: [query][face].
func expectScan(c *chunk, blocks int, queries []query) [][]float32 {
	want := make([][]float32, len(queries))
	for i, q := range queries {
		for slot := range blocks * blockFaces {
			block := c.block(slot / blockFaces)
			var sum int64
			for dim := range c.shape.padded {
				at := (dim/groupDims*blockFaces+slot%blockFaces)*groupDims + dim%groupDims
				sum += (int64(block[at]) - codeOffset) * int64(q.codes[dim])
			}
			scales, _ := meta(block)
			want[i] = append(want[i], float32(float32(float32(sum)*q.quantised.scale)*scales[slot%blockFaces]))
		}
	}
	return want
}

func checkScan(t *rapid.T, k kernel, c *chunk, blocks int, queries []query, cuts []float32, want [][]float32) {
	got := scanAll(k, c, blocks, queries, cuts)
	width := len(got.Masks) / blocks
	for i := range queries {
		for slot, score := range want[i] {
			at := slot/blockFaces*width + i
			if math.Float32bits(got.Approx[at*blockFaces+slot%blockFaces]) != math.Float32bits(score) {
				t.Fatalf("%s: probe %d face %d: approx %v, want %v", k.name, i, slot,
					got.Approx[at*blockFaces+slot%blockFaces], score)
			}
			reached := reach(score, c.residual(slot), queries[i].quantised.norm) >= cuts[i]
			if (got.Masks[at]>>(slot%blockFaces)&1 == 1) != reached {
				t.Fatalf("%s: probe %d face %d: mask %016b, reached %v", k.name, i, slot, got.Masks[at], reached)
			}
		}
	}
	for at, mask := range got.Masks {
		if at%width >= len(queries) && mask != 0 {
			t.Fatalf("%s: an absent probe found something", k.name)
		}
	}
}

// TestKernelsAtTheEndsOfTheRange has the largest products there are, in every dimension: sums that saturate or overflow
// would show.
func TestKernelsAtTheEndsOfTheRange(t *testing.T) {
	t.Parallel()
	s := newShape(maxDim)
	s.faces = blockFaces
	c := newTestChunk(t, &s, slices.Repeat([][]float32{unitVector(slices.Repeat([]float32{1}, maxDim))}, blockFaces))
	defer c.discard()
	for _, fill := range []struct {
		name          string
		stored, probe int
	}{
		{"highest with highest", 255, 127},
		{"highest with lowest", 255, -127},
		{"lowest with highest", 1, 127},
		{"lowest with lowest", 1, -127},
	} {
		block := c.block(0)
		for i := range block[:len(block)-metaBytes] {
			block[i] = byte(fill.stored)
		}
		scales, _ := meta(block)
		*scales = [blockFaces]float32{}
		for i := range scales {
			scales[i] = 1
		}
		q := query{floor: new(floor), codes: slices.Repeat([]int8{int8(fill.probe)}, s.padded)}
		q.quantised = quantised{scale: 1, sum: int32(fill.probe * s.padded)}
		want := float32((fill.stored - codeOffset) * fill.probe * maxDim)
		for _, k := range kernels() {
			for _, probes := range []int{1, lanes} {
				got := scanAll(k, c, 1, slices.Repeat([]query{q}, probes), make([]float32, probes))
				if diff := cmp.Diff(slices.Repeat([]float32{want}, probes*blockFaces), got.Approx); diff != "" {
					t.Errorf("%s, %s, %d probes: %s", k.name, fill.name, probes, diff)
				}
			}
		}
	}
}

func TestKernelsNameThemselves(t *testing.T) {
	t.Parallel()
	names := Kernels()
	if names[len(names)-1] != "portable" {
		t.Errorf("Kernels() = %v, want portable as the last resort", names)
	}
	for _, name := range names {
		if got := newGallery(t, 4, WithKernel(name)).Kernel(); got != name {
			t.Errorf("WithKernel(%q) gave %q", name, got)
		}
	}
}

func unitVector(v []float32) []float32 {
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(squares))
	}
	return v
}

func BenchmarkKernel(b *testing.B) {
	const dim = 512
	s := newShape(dim)
	s.faces = tileBlocks * blockFaces // half a MiB: stays in the second-level cache
	d := newSeeded(1)
	rows := slices.Collect(slices.Chunk(randomRows(d, s.faces, dim), dim))
	c := newTestChunk(b, &s, rows)
	defer c.discard()
	for _, k := range kernels() {
		for _, probes := range []int{1, lanes} {
			b.Run(fmt.Sprintf("%s/probes=%d", k.name, probes), func(b *testing.B) {
				queries := make([]query, probes)
				for i := range queries {
					queries[i] = testQuery(&s, rows[i])
				}
				cuts := slices.Repeat([]float32{nothing()}, probes)
				scan, _ := prepareScan(k, c, tileBlocks, queries, cuts)
				for b.Loop() {
					scan()
				}
				b.ReportMetric(float64(s.faces*probes)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mfaces/s")
			})
		}
	}
}
