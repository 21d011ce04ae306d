package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/spotter-video/spotter/internal/gallery"
)

// ticks is a clock that goes on by a millisecond each time it is looked at.
func ticks() func() time.Time {
	var at time.Time
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	args := []string{"--faces", "2000", "--dim", "64", "--batch", "1,9", "--rounds", "2", "--json"}
	if err := run(t.Context(), args, &out, ticks()); err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		t.Fatal(err)
	}
	if want := 2000 * (64 + 8); r.ScanBytes != want {
		t.Errorf("a search reads %d bytes, want %d", r.ScanBytes, want)
	}
	if r.Lean == nil || len(r.Lean.Asked) == 0 {
		t.Fatal("nothing was measured without originals in memory")
	}
	for _, a := range r.Lean.Asked {
		if a.Hits < 1 || a.Hits > float64(a.Limit) || a.Originals < a.Hits || a.Originals > 2000 {
			t.Errorf("%+v: not so many hits or originals", a)
		}
	}
	if want := len(r.Limits) * len(gallery.Kernels()) * 2; len(r.Searches) != want || len(r.Limits) == 0 {
		t.Fatalf("%d searches and %d limits, want %d searches", len(r.Searches), len(r.Limits), want)
	}
	for _, m := range r.Searches {
		// By this clock, everything takes a millisecond.
		if m.MillisecondsPerProbe != 1/float64(m.Batch) || m.ShareOfLimit < 0.99 || m.ShareOfLimit > 1.01 {
			t.Errorf("%s, batch %d: %v ms, share %v", m.Kernel, m.Batch, m.MillisecondsPerProbe, m.ShareOfLimit)
		}
		if m.HitsPerProbe < 1 || m.HitsPerProbe > 100 {
			t.Errorf("%s, batch %d: %v hits for a probe of an enrolled identity", m.Kernel, m.Batch, m.HitsPerProbe)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), []string{"--faces", "500", "--dim", "16", "--batch", "3", "--rounds", "1"}, &out, ticks()); err != nil {
		t.Fatal(err)
	}
	for _, want := range append(gallery.Kernels(), "read limit", "of limit", "originals/probe", "500 faces of 16 dimensions") {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"--batch 0", "--batch 1,x", "--batch 4097", "--faces 3", "--rounds 0", "--dim 0", "--kernels abacus", "--speed 3",
	} {
		if err := run(t.Context(), append([]string{"--faces=100"}, strings.Fields(args)...), &strings.Builder{}, ticks()); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

// TestReadReadsEveryByte guards the limit: a loop that leaves something out would set it too high.
func TestReadReadsEveryByte(t *testing.T) {
	t.Parallel()
	memory := make([]byte, 6*readStep)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range memory {
		memory[i] = byte(r.Uint32())
	}
	loops := map[string]func([]byte) uint64{"chosen": read, "portable": readPortable}
	if cpu.X86.HasAVX2 {
		loops["avx2"] = readNarrow
	}
	for name, loop := range loops {
		before := loop(memory)
		if want := readPortable(memory); before != want {
			t.Errorf("%s: %x, want %x", name, before, want)
		}
		for i := range memory {
			memory[i] ^= 0x55
			if loop(memory) == before {
				t.Fatalf("%s: byte %d was not read", name, i)
			}
			memory[i] ^= 0x55
		}
	}
}
