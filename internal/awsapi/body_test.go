package awsapi

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestReadAllBelievesNoLength(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 100), rapid.IntRange(firstRead-2, firstRead+2), rapid.IntRange(0, 1<<17)).Draw(t, "size")
		claimed := rapid.OneOf(rapid.Just(int64(size)), rapid.Int64Range(-1, 1<<17)).Draw(t, "claimed")
		want := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		var r io.Reader = bytes.NewReader(want)
		if rapid.Bool().Draw(t, "slow") {
			r = iotest.HalfReader(r)
		}
		got, err := readAll(r, claimed, anySize)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %d bytes of %d, %v", len(got), size, err)
		}
	})
}

func TestReadAllReservesLittleForAClaim(t *testing.T) {
	t.Parallel()
	got, err := readAll(bytes.NewReader(make([]byte, 10)), 1<<40, anySize)
	if err != nil || cap(got) > 2*firstRead {
		t.Errorf("%v, %d bytes reserved", err, cap(got))
	}
	broken := errors.New("cut")
	for _, arrived := range []int{0, 10, firstRead, firstRead + 10} {
		r := io.MultiReader(bytes.NewReader(make([]byte, arrived)), iotest.ErrReader(broken))
		if _, err := readAll(r, 1<<20, anySize); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", arrived, err)
		}
	}
}

func anySize(int64) bool { return true }

func TestReadAllReservesByWhatHasArrived(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		arrived := rapid.Int64Range(0, 1<<20).Draw(t, "arrived")
		claimed := rapid.SampledFrom([]int64{-1, arrived, 1 << 21, 1 << 40}).Draw(t, "claimed")
		_, err := readAll(bytes.NewReader(make([]byte, arrived)), claimed, func(size int64) bool {
			if size > max(growth*arrived, claimed+1) || size > growth*max(arrived, firstRead) {
				t.Fatalf("%d bytes reserved for %d", size, arrived)
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if _, err := readAll(bytes.NewReader(make([]byte, 1<<20)), 1<<20, func(int64) bool { return false }); !errors.Is(err, errNoMemory) {
		t.Errorf("without memory: %v", err)
	}
}
