package app

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/bucket"
	"github.com/spotter-video/spotter/internal/service"
)

// objects hands the service what is in buckets.
type objects struct{ buckets *bucket.Buckets }

// Stat implements [service.Objects].
func (o objects) Stat(ctx context.Context, obj service.Object) (service.ObjectInfo, error) {
	info, err := o.buckets.Stat(ctx, bucket.Object(obj))
	return service.ObjectInfo(info), objectError(err)
}

// imageTimeout is how long reading an image may take: the largest one comes over a link of 2 Mb/s in that time. A server that
// sends a byte now and then would hold its place for ever.
const imageTimeout = time.Minute

// Read implements [service.Objects].
func (o objects) Read(ctx context.Context, obj service.Object, limit int64) ([]byte, error) {
	within, cancel := context.WithTimeout(ctx, imageTimeout)
	defer cancel()
	content, err := o.buckets.Read(within, bucket.Object(obj), limit)
	if err != nil && ctx.Err() == nil && within.Err() != nil {
		return nil, &service.Error{Kind: service.Unavailable, Message: "The bucket is too slow.", Err: err}
	}
	if bucketKind(err) == bucket.TooLarge {
		return nil, &service.Error{Kind: service.ImageTooLarge, Message: "Image size is too large.", Err: err}
	}
	return content, objectError(err)
}

// Open implements [service.Objects].
func (o objects) Open(
	ctx context.Context, obj service.Object, pinned service.ObjectInfo,
) (service.LocalFile, error) {
	f, err := o.buckets.Open(ctx, bucket.Object(obj), bucket.Info(pinned))
	if err != nil {
		return nil, objectError(err)
	}
	return localFile{f}, nil
}

// localFile is an object's content on this machine.
type localFile struct{ file *bucket.File }

// File is the file to read.
func (f localFile) File() *os.File { return f.file.File() }

// Fetch implements [service.VideoFile].
func (f localFile) Fetch(ctx context.Context, from, to int64) (int64, error) {
	end, err := f.file.Fetch(ctx, from, to)
	return end, objectError(err)
}

// Close gives the file back.
func (f localFile) Close() error { return f.file.Close() }

// Verify says whether the file still is what was pinned.
func (f localFile) Verify(ctx context.Context) error { return objectError(f.file.Verify(ctx)) }

// unreadable is what AWS says of an object that it cannot get at, whatever the reason: one who may not read it learns
// nothing more.
const unreadable = "Unable to get object metadata from S3. Check object key, region and/or access permissions."

func objectError(err error) error {
	failure := (*bucket.Error)(nil)
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Kind {
	case bucket.Unavailable:
		return &service.Error{Kind: service.Unavailable, Message: "The bucket cannot be reached.", Err: err}
	case bucket.Changed:
		return &service.Error{Kind: service.BadObject, Message: "The object was replaced or changed while it was read.", Err: err}
	case bucket.TooLarge:
		return &service.Error{Kind: service.VideoTooLarge, Message: failure.Reason, Err: failure.Err}
	default:
		return &service.Error{Kind: service.BadObject, Message: unreadable, Err: err}
	}
}

func bucketKind(err error) bucket.Kind {
	if failure := (*bucket.Error)(nil); errors.As(err, &failure) {
		return failure.Kind
	}
	return 0
}
