package bucket

import (
	"context"
	"math"
	"os"
	"strings"
	"sync"
	"unicode/utf8"
)

// Object names an object of a bucket. Version is empty for the current one.
type Object struct{ Bucket, Key, Version string }

// Info is the state of an object.
type Info struct {
	// Size in bytes.
	Size int64
	// ETag differs between two contents of the same object. It is opaque; a folder's is made up.
	ETag string
	// Version is set where the bucket keeps versions.
	Version string
}

// maxKey is how long a key may be in bytes: "Object key naming guidelines" of Amazon S3.
const maxKey = 1024

// check refuses keys that are none, in any bucket. Slashes at either end or side by side, "." and ".." are parts of a name like
// others, as S3 has it, but what would lead out of the bucket if somebody tidied it up as a path is refused, as S3 does too
// ("Object key naming guidelines"): servers that keep objects as files, and proxies, tidy up.
func (o Object) check() error {
	switch {
	case o.Key == "":
		return fail(Invalid, nil, "The object's name is empty.")
	case len(o.Key) > maxKey:
		return fail(Invalid, nil, "The object's name has %d bytes; at most %d are possible.", len(o.Key), maxKey)
	case !utf8.ValidString(o.Key) || strings.ContainsRune(o.Key, 0):
		return fail(Invalid, nil, "The object's name is not valid UTF-8 text.")
	case leadsOut(o.Key):
		return fail(Invalid, nil, "The object's name %q is refused: as a path it would lead out of the bucket.", o.Key)
	case len(o.Version) > maxKey || strings.ContainsFunc(o.Version, isControl):
		return fail(Invalid, nil, "The object's version is not one.")
	}
	return nil
}

// leadsOut says whether a key, read from the left, has more ".." than parts before them.
func leadsOut(key string) bool {
	depth := 0
	for part := range strings.SplitSeq(key, "/") {
		switch part {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }

// File is an open object. Its methods are safe for concurrent use.
type File struct {
	file   *os.File
	parts  *parts       // nil where all is there
	whole  func() bool  // parts are as dear as all of it; nil where they are not
	verify func() error // nil where nothing can change
	done   func() error
	once   sync.Once
}

// File is the content, from offset 0 to the pinned size; what has not been asked for by [File.Fetch] may be zeros. It may be shared with others: read it at offsets only (ReadAt, or
// by opening it anew through its descriptor), write nothing, and leave closing it to [File.Close].
func (f *File) File() *os.File { return f.file }

// Fetch waits until the bytes from..to are in the file, and says up to where all after from are: to or more, or the end. Errors as of
// [Buckets.Open].
func (f *File) Fetch(ctx context.Context, from, to int64) (end int64, err error) {
	if f.parts == nil {
		return math.MaxInt64, context.Cause(ctx)
	}
	if f.whole != nil && f.whole() {
		end, err = f.parts.fetch(ctx, 0, f.parts.size)
		return end, err
	}
	return f.parts.fetch(ctx, from, to)
}

// Verify says whether the content has stayed what it was pinned as until now; [Changed] if it has not. A download cannot
// change. Call it when the work with the file is done, before its results count.
func (f *File) Verify(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if f.verify == nil {
		return nil
	}
	return f.verify()
}

// Close gives the file back. Only the first call does something.
func (f *File) Close() error {
	var err error
	f.once.Do(func() { err = f.done() })
	return err
}
