package bucket

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// server is the backend of an [S3].
type server struct {
	client    *s3.Client
	http      *http.Client
	bucket    string // on the server; empty if callers give it
	downloads *lane
	limits    Limits
	log       *slog.Logger
	wait      *retry.ExponentialJitterBackoff
	noRanges  atomic.Bool // it has sent all of an object where a range was asked for
}

func (s *server) realBucket(o Object) *string {
	if s.bucket != "" {
		return &s.bucket
	}
	return &o.Bucket
}

func (s *server) stat(ctx context.Context, o Object) (Info, error) {
	in := &s3.HeadObjectInput{Bucket: s.realBucket(o), Key: &o.Key, VersionId: optional(o.Version)}
	out, err := s.client.HeadObject(ctx, in)
	if err != nil {
		return Info{}, serverError(ctx, o, err)
	}
	if isArchived(out) {
		return Info{}, archived(o, nil)
	}
	info := Info{Size: size(out.ContentLength), ETag: tag(out.ETag, out.LastModified), Version: version(o, out.VersionId)}
	return info, checkInfo(o, info)
}

func (s *server) read(ctx context.Context, o Object, limit int64) ([]byte, error) {
	body, info, err := s.get(ctx, o, request{version: o.Version})
	if err != nil {
		return nil, err
	}
	if info.Size > limit {
		_ = body.Close() // not read
		return nil, tooLarge(o, info.Size, limit)
	}
	content := bytes.NewBuffer(make([]byte, 0, info.Size))
	t := transfer{server: s, object: o, pinned: info, version: o.Version, to: content, end: info.Size}
	if err := t.run(ctx, body); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

func (s *server) open(ctx context.Context, o Object, pinned Info) (*File, error) {
	f, err := s.downloads.open(ctx, cacheKey{object: o, pinned: pinned}, func(ctx context.Context, from, to int64, w io.Writer) error {
		t := transfer{server: s, object: o, pinned: pinned, version: o.Version, to: w, at: from, end: to}
		return t.run(ctx, nil)
	})
	if err == nil {
		f.whole = s.noRanges.Load
	}
	return f, err
}

// check reaches the bucket, or the server if callers give the bucket. Credentials that may read objects need not be
// allowed to look at the bucket, and a refused HEAD does not say why, so a refusal is asked about once more.
func (s *server) check(ctx context.Context) error {
	if s.bucket == "" {
		_, err := s.client.ListBuckets(ctx, &s3.ListBucketsInput{})
		return checkError(ctx, anyBucket, err)
	}
	_, err := s.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &s.bucket})
	if status(err) == http.StatusForbidden {
		_, err = s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &s.bucket, MaxKeys: aws.Int32(1)})
	}
	return checkError(ctx, s.bucket, err)
}

func (s *server) close() error {
	s.http.CloseIdleConnections()
	return nil
}

// request is a GET of the bytes from..to of an object of this size; to 0 for all that there is.
type request struct {
	version        string
	etag           string // expected; empty for any
	from, to, size int64
}

// span is the request's Range; nil for the whole object.
func (r *request) span() *string {
	switch {
	case r.to > 0 && r.to < r.size:
		return aws.String("bytes=" + strconv.FormatInt(r.from, 10) + "-" + strconv.FormatInt(r.to-1, 10))
	case r.from > 0:
		return aws.String("bytes=" + strconv.FormatInt(r.from, 10) + "-")
	}
	return nil
}

// get is the content from the offset on, at least to the end of what is asked for, and the state that it is of.
func (s *server) get(ctx context.Context, o Object, r request) (io.ReadCloser, Info, error) {
	in := &s3.GetObjectInput{Bucket: s.realBucket(o), Key: &o.Key, VersionId: optional(r.version)}
	if r.etag != "" && !isMadeUp(r.etag) {
		in.IfMatch = &r.etag
	}
	in.Range = r.span()
	out, err := s.client.GetObject(ctx, in)
	if err != nil {
		return nil, Info{}, serverError(ctx, o, err)
	}
	info := Info{Size: size(out.ContentLength), ETag: tag(out.ETag, out.LastModified), Version: version(o, out.VersionId)}
	start := int64(0)
	if in.Range != nil && out.ContentRange == nil {
		s.noRanges.Store(true)
	}
	if out.ContentRange != nil {
		start, info.Size = parseContentRange(*out.ContentRange)
	}
	if err = checkInfo(o, info); err != nil {
		_ = out.Body.Close() // not read
		return nil, Info{}, err
	}
	// A server that knows no ranges sends everything, and what is there already is passed over.
	p := pace(out.Body, s.limits.Pace)
	err = skip(p, r.from-start)
	p.timer.Stop()
	if err != nil {
		_ = out.Body.Close() // not read further
		return nil, Info{}, brokenOff(ctx, o, err)
	}
	return out.Body, info, nil
}

// skip passes over n bytes; a negative n means that the answer begins too late.
func skip(r io.Reader, n int64) error {
	if n < 0 {
		return errWrongRange
	}
	_, err := io.CopyN(io.Discard, r, n)
	return err
}

// parseContentRange reads "bytes 5-9/10" as 5 and 10; the size is -1 if it is not of that form.
func parseContentRange(s string) (start, size int64) {
	span, total, ok := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, last, ok2 := strings.Cut(span, "-")
	if !ok || !ok2 {
		return 0, -1
	}
	start, err := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	size, err3 := strconv.ParseInt(total, 10, 64)
	if err != nil || err2 != nil || err3 != nil || start < 0 || end < start || size <= end {
		return 0, -1
	}
	return start, size
}

// optional is nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// size is -1 if the server does not say it.
func size(length *int64) int64 {
	if length == nil {
		return -1
	}
	return *length
}

// madeUp begins tags that are made of the time of change, for servers that give some objects no ETag (versitygw for files
// that were not written through it). No ETag looks so: they are in quotes.
const madeUp = "modified "

func isMadeUp(etag string) bool { return strings.HasPrefix(etag, madeUp) }

// tag is the ETag, or one that is made up; empty if there is nothing to make it of.
func tag(etag *string, modified *time.Time) string {
	switch {
	case etag != nil && strings.Trim(*etag, `"`) != "":
		return *etag
	case modified != nil:
		return madeUp + strconv.FormatInt(modified.Unix(), 10)
	}
	return ""
}

// version is that of the answer. "null" is what buckets call the version of an object from before they kept any; it does
// not name one state for good.
func version(o Object, answered *string) string {
	if answered == nil || *answered == "null" {
		return o.Version
	}
	return *answered
}

func checkInfo(o Object, info Info) error {
	if info.Size < 0 || info.ETag == "" {
		return fail(Unavailable, nil, "The server of bucket %q does not say what state object %q is in: "+
			"correct the endpoint, it may be of something else than S3.", o.Bucket, o.Key)
	}
	return nil
}

// isArchived says that an object must be restored before it can be read.
func isArchived(out *s3.HeadObjectOutput) bool {
	if out.StorageClass != types.StorageClassGlacier && out.StorageClass != types.StorageClassDeepArchive {
		return out.ArchiveStatus != ""
	}
	return out.Restore == nil || !strings.Contains(*out.Restore, `ongoing-request="false"`)
}
