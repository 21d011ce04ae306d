package storetest

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// codeSize is the length of the codes of this suite: all values of a byte are in each.
const codeSize = 256

func newCode(n int) service.Code {
	c := service.Code{ID: id(n), Data: make([]byte, codeSize)}
	for i := range c.Data {
		c.Data[i] = byte(n + i) //nolint:gosec // its lowest eight bits
	}
	return c
}

func newCodes(a, b int) []service.Code {
	list := make([]service.Code, 0, b-a)
	for n := a; n < b; n++ {
		list = append(list, newCode(n))
	}
	return list
}

// codesOf is the codes of faces, one after another.
func codesOf(faces ...int) []byte {
	all := make([]byte, 0, len(faces)*codeSize)
	for _, n := range faces {
		all = append(all, newCode(n).Data...)
	}
	return all
}

// wantCodes reads all codes in pages of so many faces.
func wantCodes(t *testing.T, s service.Store, c service.Serial, limit int, want []byte) {
	t.Helper()
	var got []byte
	var after *face.ID
	for {
		codes, last, err := s.Codes(t.Context(), c, after, codeSize, limit)
		ok(t, err)
		if len(codes) > limit*codeSize {
			t.Fatalf("%d bytes of codes of %d faces", len(codes), limit)
		}
		if last == nil {
			if len(codes) > 0 {
				t.Fatalf("%d bytes of codes of no face", len(codes))
			}
			break
		}
		if after != nil && bytes.Compare(last[:], after[:]) <= 0 {
			t.Fatalf("page ends at %v, the one before at %v", last, after)
		}
		got, after = append(got, codes...), last
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of codes in pages of %d, want %d: the same %v", len(got), limit, len(want), bytes.Equal(got, want))
	}
}

func testCodes(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c, other := create(t, s, "people").Serial, create(t, s, "others").Serial
	wantCodes(t, s, c, 10, nil)
	addFaces(t, s, other, 3)
	const n = 700
	_, err := s.AddFaces(ctx, c, append(newFaces(300, n), newFaces(0, 300)...), n)
	ok(t, err)
	all := make([]int, 0, n+1)
	for i := range n {
		all = append(all, i)
	}
	for _, limit := range []int{1, 7, 100, n - 1, n, n + 1, math.MaxInt32} {
		wantCodes(t, s, c, limit, codesOf(all...))
	}
	// A face that is there already keeps its code; one that is named twice has its first.
	changed := newFace(5)
	changed.Code = newCode(999).Data
	twice, second := newFace(n), newFace(n)
	second.Code = newCode(998).Data
	_, err = s.AddFaces(ctx, c, []service.NewFace{changed, twice, second}, n+1)
	ok(t, err)
	wantCodes(t, s, c, 500, codesOf(append(all, n)...))

	_, _, err = s.DeleteFaces(ctx, c, append(ids(1, 400), id(n)), day())
	ok(t, err)
	wantCodes(t, s, c, 64, codesOf(append([]int{0}, all[400:]...)...))
	wantCodes(t, s, other, 2, codesOf(0, 1, 2))
	// Too many faces: neither they nor their codes are kept.
	_, err = s.AddFaces(ctx, c, newFaces(1, 10), 5)
	wantKind(t, err, service.QuotaExceeded)
	wantCodes(t, s, c, 64, codesOf(append([]int{0}, all[400:]...)...))
}

func testCodesAreMended(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	faces := newFaces(0, 10)
	for i := range faces {
		faces[i].Code = nil
	}
	faces[3].Code = []byte("short")
	_, err := s.AddFaces(ctx, c, faces, 10)
	ok(t, err)
	wantCodes(t, s, c, 4, nil)
	_, last, err := s.Codes(ctx, c, nil, codeSize, 100)
	ok(t, err)
	if last == nil || *last != id(3) {
		t.Fatalf("the last face with a code is %v, want that with a short one", last)
	}
	// Of faces that are there, others, and some twice in disorder: the last one counts.
	odd := newCode(2)
	odd.Data = newCode(700).Data
	ok(t, s.SetCodes(ctx, c, slices.Concat(newCodes(600, 1300), []service.Code{odd}, newCodes(2, 9))))
	wantCodes(t, s, c, 4, codesOf(2, 3, 4, 5, 6, 7, 8))
	ok(t, s.SetCodes(ctx, c, newCodes(0, 3)))
	ok(t, s.SetCodes(ctx, c, nil))
	wantCodes(t, s, c, 100, codesOf(0, 1, 2, 3, 4, 5, 6, 7, 8))
}

func testEachOwned(u suite) {
	t := u.T
	s, ctx := u.open(t, nil), t.Context()
	c := create(t, s, "people").Serial
	addFaces(t, s, c, 20)
	for _, user := range []service.UserID{"bob", "ann"} {
		ok(t, s.CreateUser(ctx, c, user, 5, nil))
	}
	ok(t, associate(ctx, s, c, "bob", ids(3, 6), 9, nil))
	ok(t, associate(ctx, s, c, "ann", append(ids(15, 17), id(1)), 9, nil))
	var got []int
	ok(t, s.EachOwned(ctx, c, func(v service.Vector) error {
		for n := range 20 {
			if v.ID != id(n) {
				continue
			}
			if !sameBits(v.Values, newFace(n).Vector) || (v.User == "bob") != (n >= 3 && n < 6) || v.User == "" {
				t.Errorf("face %d is %v of %q", n, v.Values, v.User)
			}
			got = append(got, n)
		}
		return nil
	}))
	if want := []int{1, 15, 16, 3, 4, 5}; !slices.Equal(got, want) {
		t.Fatalf("owned are %v, want %v", got, want)
	}
	enough := errors.New("enough")
	if err := s.EachOwned(ctx, c, func(service.Vector) error { return enough }); !errors.Is(err, enough) {
		t.Fatalf("the error of the caller is %v", err)
	}
}
