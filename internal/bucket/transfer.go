package bucket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// headway is how many bytes make up for a connection that broke off. Without it a server that sends a byte at a time
// would keep a transfer going forever.
const headway = 1 << 20

// transfer brings content of an object in its pinned state to a writer, in as many pieces as it takes.
type transfer struct {
	server  *server
	object  Object
	pinned  Info
	version string // that is asked for; empty for the current one
	to      io.Writer

	at, end int64 // what is missing
	breaks  int   // without headway between them
}

// run reads body, if there is one already, and what comes after it.
func (t *transfer) run(ctx context.Context, body io.ReadCloser) error {
	for {
		if body == nil {
			var err error
			if body, err = t.next(ctx); err != nil {
				return err
			}
		}
		from := t.at
		err := t.copy(ctx, body)
		if err == nil {
			return nil
		}
		body = nil
		if e := (*Error)(nil); errors.As(err, &e) { // of the disk, or more than was said
			return err
		}
		if err = t.pause(ctx, t.at-from, err); err != nil {
			return err
		}
	}
}

// next asks for what is missing. Should the object have been replaced in a bucket that keeps versions, the pinned one is
// still there. It is asked for only then, since reading a version needs a permission of its own.
func (t *transfer) next(ctx context.Context) (io.ReadCloser, error) {
	for {
		body, info, err := t.server.get(ctx, t.object, request{version: t.version, etag: t.pinned.ETag, from: t.at, to: t.end, size: t.pinned.Size})
		if err == nil {
			if info.Size == t.pinned.Size && info.ETag == t.pinned.ETag {
				return body, nil
			}
			_ = body.Close() // not read
			err = changed(t.object)
		}
		gone := KindOf(err) == Changed || KindOf(err) == NotFound
		if !gone || t.version != "" || t.pinned.Version == "" {
			return nil, err
		}
		t.version = t.pinned.Version
	}
}

// copy writes what comes, and closes the body. It is an error if that is not all that is missing, or more.
func (t *transfer) copy(ctx context.Context, body io.ReadCloser) error {
	defer func() { _ = body.Close() }() // only read
	missing := t.end - t.at
	p := pace(body, t.server.limits.Pace)
	n, err := io.Copy(t.to, io.LimitReader(p, missing))
	p.timer.Stop()
	t.at += n
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case n < missing:
		return io.ErrUnexpectedEOF
	}
	if t.end < t.pinned.Size { // a server that knows no ranges goes on
		return nil
	}
	if extra, _ := body.Read(make([]byte, 1)); extra > 0 {
		return changed(t.object)
	}
	return nil
}

// paced is a body whose sender is cut off when it sends too slowly.
type paced struct {
	body  io.ReadCloser
	timer *time.Timer
	time  time.Duration
	step  int
}

// pace makes a body one of which each headway must come within this time. Stop its timer when nothing more is read.
func pace(body io.ReadCloser, within time.Duration) *paced {
	return &paced{body: body, time: within, timer: time.AfterFunc(within, func() { _ = body.Close() })} // which ends a read
}

// Read counts what arrives.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	if p.step += n; p.step >= headway {
		p.step = 0
		p.timer.Reset(p.time)
	}
	return n, err
}

// pause waits before the next piece, or gives up: after too many breaks, and when the context has ended.
func (t *transfer) pause(ctx context.Context, got int64, cause error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if got >= headway {
		t.breaks = 0
	}
	if t.breaks++; t.breaks >= t.server.limits.Attempts {
		return brokenOff(ctx, t.object, cause)
	}
	t.server.log.LogAttrs(ctx, slog.LevelWarn, "download broke off and goes on",
		slog.String("bucket", t.object.Bucket), slog.String("key", t.object.Key),
		slog.Int64("bytes", t.at), slog.Int64("size", t.pinned.Size), slog.String("error", cause.Error()))
	delay, err := t.server.wait.BackoffDelay(t.breaks, cause)
	if err != nil {
		return brokenOff(ctx, t.object, err)
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
