package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/bucket"
)

// fixture is a bucket named "films" to be tested, and what puts objects into it.
type fixture struct {
	buckets *bucket.Buckets
	put     func(t *testing.T, key string, data []byte)
	remove  func(t *testing.T, key string)
}

// testLimit is the largest object of the fixtures' buckets.
const testLimit = 8 << 20

func config(tb testing.TB, buckets map[string]bucket.Source) bucket.Config {
	tb.Helper()
	cfg := bucket.Config{
		Buckets: buckets, Cache: bucket.DefaultCache(tb.TempDir()), Limits: bucket.DefaultLimits(), Now: time.Now,
	}
	cfg.Cache.MinFree = 0
	cfg.Limits.Object = testLimit
	cfg.Limits.Backoff = 10 * time.Millisecond
	return cfg
}

// openWhole opens an object and waits until all of it is there.
func openWhole(ctx context.Context, b *bucket.Buckets, o bucket.Object, pinned bucket.Info) (*bucket.File, error) {
	f, err := b.Open(ctx, o, pinned)
	if err != nil {
		return nil, err
	}
	if _, err = f.Fetch(ctx, 0, pinned.Size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func open(tb testing.TB, cfg bucket.Config) *bucket.Buckets {
	tb.Helper()
	b, err := bucket.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Error(err)
		}
	})
	return b
}

func film(key string) bucket.Object { return bucket.Object{Bucket: "films", Key: key} }

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(data)
	return data
}

func wantKind(t *testing.T, err error, kind bucket.Kind) {
	t.Helper()
	if bucket.KindOf(err) != kind {
		t.Errorf("got %v error %v, want %v", bucket.KindOf(err), err, kind)
	}
	if e := (*bucket.Error)(nil); errors.As(err, &e) && !strings.HasSuffix(e.Reason, ".") {
		t.Errorf("reason %q is no sentence", e.Reason)
	}
}

func pin(tb testing.TB, b *bucket.Buckets, o bucket.Object) bucket.Info {
	tb.Helper()
	info, err := b.Stat(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	return info
}

func mustOpen(tb testing.TB, b *bucket.Buckets, o bucket.Object, pinned bucket.Info) *bucket.File {
	tb.Helper()
	f, err := openWhole(tb.Context(), b, o, pinned)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func wantContent(t *testing.T, f *bucket.File, want []byte) {
	t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(f.File(), 0, testLimit+1))
	if err != nil {
		t.Error(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the file has %d bytes that differ from the object's %d", len(got), len(want))
	}
}

// bucketTest is what every source must do.
func bucketTest(t *testing.T, setup func(t *testing.T) fixture) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, f fixture){
		"stat pins": testStat, "read": testRead, "open": testOpen, "open what was replaced": testReplaced,
		"what is not there": testMissing, "names that cannot be": testInvalid, "odd names": testOddNames,
		"many at once": testMany, "ended context": testEnded, "check": testCheck, "limit": testLimits,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, setup(t))
		})
	}
}

func testStat(t *testing.T, f fixture) {
	t.Helper()
	f.put(t, "a/b/c.mp4", noise(1000))
	first := pin(t, f.buckets, film("a/b/c.mp4"))
	if first.Size != 1000 || first.ETag == "" {
		t.Errorf("state is %+v", first)
	}
	if again := pin(t, f.buckets, film("a/b/c.mp4")); again != first {
		t.Errorf("state of the same content is %+v, then %+v", first, again)
	}
	f.put(t, "a/b/c.mp4", slices.Repeat([]byte{1}, 1000))
	if other := pin(t, f.buckets, film("a/b/c.mp4")); other == first {
		t.Errorf("state of other content is %+v too", other)
	}
}

func testRead(t *testing.T, f fixture) {
	t.Helper()
	for name, size := range map[string]int{"empty": 0, "small": 1, "large": 3<<20 + 1} {
		want := noise(size)
		f.put(t, name, want)
		got, err := f.buckets.Read(t.Context(), film(name), int64(size))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes of %d, error %v", name, len(got), size, err)
		}
		_, err = f.buckets.Read(t.Context(), film(name), int64(size)-1)
		wantKind(t, err, bucket.TooLarge)
	}
}

func testOpen(t *testing.T, f fixture) {
	t.Helper()
	for name, size := range map[string]int{"empty": 0, "small": 1, "large": 3<<20 + 1} {
		want := noise(size)
		f.put(t, name, want)
		file := mustOpen(t, f.buckets, film(name), pin(t, f.buckets, film(name)))
		wantContent(t, file, want)
		if err := file.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for range 2 {
			if err := file.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func testReplaced(t *testing.T, f fixture) {
	t.Helper()
	f.put(t, "x", noise(100))
	pinned := pin(t, f.buckets, film("x"))
	f.put(t, "x", slices.Repeat([]byte{7}, 100))
	_, err := openWhole(t.Context(), f.buckets, film("x"), pinned)
	wantKind(t, err, bucket.Changed)
	f.remove(t, "x")
	_, err = openWhole(t.Context(), f.buckets, film("x"), pinned)
	wantKind(t, err, bucket.NotFound)
}

func testMissing(t *testing.T, f fixture) {
	t.Helper()
	f.put(t, "there", noise(10))
	f.put(t, "folder/there", noise(10))
	for name, o := range map[string]bucket.Object{
		"object":             film("absent"),
		"object in a folder": film("absent/absent"),
		"below an object":    film("there/absent"),
		"folder":             film("folder"),
		"bucket":             {Bucket: "series", Key: "there"},
		"version":            {Bucket: "films", Key: "there", Version: "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
		"no sort of version": {Bucket: "films", Key: "there", Version: "../x y"},
	} {
		_, err := f.buckets.Stat(t.Context(), o)
		t.Log(name, err)
		wantKind(t, err, bucket.NotFound)
		_, err = f.buckets.Read(t.Context(), o, 10)
		wantKind(t, err, bucket.NotFound)
		_, err = openWhole(t.Context(), f.buckets, o, bucket.Info{Size: 10, ETag: "x"})
		wantKind(t, err, bucket.NotFound)
	}
}

func testInvalid(t *testing.T, f fixture) {
	t.Helper()
	for name, o := range map[string]bucket.Object{
		"empty":            film(""),
		"parent":           film("../films/x"),
		"out and in again": film("a/.././../films/a"),
		"up from nothing":  film("/../x"),
		"NUL":              film("a\x00b"),
		"not UTF-8":        film("a\xffb"),
		"very long":        film(strings.Repeat("abc/", 256) + "x"),
		"empty bucket":     {Key: "x"},
		"parent bucket":    {Bucket: "..", Key: "x"},
		"dotted bucket":    {Bucket: "...", Key: "x"},
		"bucket with path": {Bucket: "films/x", Key: "x"},
		"any bucket":       {Bucket: "*", Key: "x"},
		"line in version":  {Bucket: "films", Key: "x", Version: "a\r\nb"},
		"long version":     {Bucket: "films", Key: "x", Version: strings.Repeat("x", 2000)},
	} {
		_, err := f.buckets.Stat(t.Context(), o)
		t.Log(name, err)
		wantKind(t, err, bucket.Invalid)
		_, err = f.buckets.Read(t.Context(), o, 10)
		wantKind(t, err, bucket.Invalid)
		_, err = openWhole(t.Context(), f.buckets, o, bucket.Info{Size: 10, ETag: "x"})
		wantKind(t, err, bucket.Invalid)
	}
	f.put(t, "x", noise(10))
	for name, info := range map[string]bucket.Info{"negative": {Size: -1, ETag: "x"}, "nothing": {}} {
		_, err := openWhole(t.Context(), f.buckets, film("x"), info)
		t.Log(name, err)
		wantKind(t, err, bucket.Invalid)
	}
}

func testOddNames(t *testing.T, f fixture) {
	t.Helper()
	for i, key := range []string{
		"with space", "plus+and%20percent", "question?and#hash", "a=b&c=d", "Zürich/東京.mp4", "..dots..", ".hidden",
		"%2e%2e", `back\slash`, "quote\"'", "colon:semi;comma,", "tilde~(paren)!*", "e\u0301",
	} {
		want := noise(10 + i)
		f.put(t, key, want)
		got, err := f.buckets.Read(t.Context(), film(key), 100)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q: got %d bytes of %d, error %v", key, len(got), len(want), err)
		}
	}
}

func testMany(t *testing.T, f fixture) {
	t.Helper()
	want := noise(2 << 20)
	f.put(t, "x", want)
	pinned := pin(t, f.buckets, film("x"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			file, err := openWhole(t.Context(), f.buckets, film("x"), pinned)
			if err != nil {
				t.Error(err)
				return
			}
			wantContent(t, file, want)
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func testEnded(t *testing.T, f fixture) {
	t.Helper()
	f.put(t, "x", noise(10))
	pinned := pin(t, f.buckets, film("x"))
	why := errors.New("the user has gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, statErr := f.buckets.Stat(ctx, film("x"))
	_, readErr := f.buckets.Read(ctx, film("x"), 10)
	_, openErr := openWhole(ctx, f.buckets, film("x"), pinned)
	for _, err := range []error{statErr, readErr, openErr} {
		if !errors.Is(err, why) {
			t.Errorf("got error %v, want the context's", err)
		}
	}
}

func testCheck(t *testing.T, f fixture) {
	t.Helper()
	if err := f.buckets.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if names := f.buckets.Names(); !slices.Equal(names, []string{"films"}) {
		t.Errorf("names are %q", names)
	}
}

func testLimits(t *testing.T, f fixture) {
	t.Helper()
	f.put(t, "x", noise(testLimit+1))
	_, err := openWhole(t.Context(), f.buckets, film("x"), pin(t, f.buckets, film("x")))
	wantKind(t, err, bucket.TooLarge)
}
