package bucket

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Usage is what downloads take.
type Usage struct {
	// Files and Bytes are those of all downloads, each with its full size, whatever is there of it.
	Files int
	Bytes int64
	// InUse is how many of the files are open or awaited.
	InUse int
}

// cache keeps downloads: one file for each state of an object, shared by all who have it open.
//
// Lock order: disk before mu. The fields below mu are guarded by it.
type cache struct {
	cfg     Cache
	now     func() time.Time
	tasks   sync.WaitGroup
	stop    context.CancelFunc // of the sweeper
	fetched atomic.Int64       // bytes, since the start
	disk    sync.Mutex         // taken while looking for space and setting it aside, so that two do not count on the same

	mu      sync.Mutex
	closed  bool
	entries map[cacheKey]*entry
	idle    *list.List // of *entry: unused, the longest unused first
	used    Usage
	changed chan struct{} // closed, and made anew, when there may be more room
}

// lane is the downloads from one server, which are so many at once whatever others do.
type lane struct {
	*cache
	slots chan struct{} // one for each request that runs
}

func (c *cache) lane(downloads int) *lane {
	return &lane{cache: c, slots: make(chan struct{}, downloads)}
}

// cacheKey is an object in one state.
type cacheKey struct {
	object Object
	pinned Info
}

// entry is one download. Its fields but key and done are guarded by the cache's mu; file, parts and err do not change after done
// is closed.
type entry struct {
	key    cacheKey
	done   chan struct{} // closed when there is a file for it, or err is set
	file   *os.File
	parts  *parts
	err    error
	refs   int // who waits for it or has it open
	cancel context.CancelCauseFunc
	place  *list.Element // in cache.idle, or nil
	since  time.Time     // when it became idle
}

func newCache(cfg Cache, now func() time.Time) (*cache, error) {
	if err := os.MkdirAll(cfg.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for downloads: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &cache{
		cfg: cfg, now: now, stop: stop, entries: map[cacheKey]*entry{}, idle: list.New(), changed: make(chan struct{}),
	}
	if cfg.Idle > 0 {
		c.tasks.Go(func() { c.sweepEvery(ctx, sweepInterval(cfg.Idle)) })
	}
	return c, nil
}

// sweepInterval is how often idle downloads are looked at: a quarter of their time, so that none stays much longer.
func sweepInterval(idle time.Duration) time.Duration {
	return min(max(idle/4, time.Second), time.Minute)
}

// open gives the file of an object, whose parts are read as they are asked for. All who open it share it, and wait for the same room.
func (l *lane) open(ctx context.Context, key cacheKey, read rangeRead) (*File, error) {
	e, err := l.join(ctx, key, read)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		l.leave(e)
		return nil, context.Cause(ctx)
	}
	if e.err != nil {
		l.leave(e)
		return nil, e.err
	}
	return &File{file: e.file, parts: e.parts, done: func() error { l.leave(e); return nil }}, nil
}

// join finds an entry, or makes one and has room found for it.
func (l *lane) join(ctx context.Context, key cacheKey, read rangeRead) (*entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, errClosed()
	}
	e := l.entries[key]
	if e == nil {
		e = l.start(ctx, key, read)
	}
	if e.place != nil {
		l.idle.Remove(e.place)
		e.place = nil
	}
	if e.refs++; e.refs == 1 {
		l.used.InUse++
	}
	return e, nil
}

// start looks for room. It is nobody's: it keeps the first caller's values, but does not end with that. The caller holds mu.
func (l *lane) start(ctx context.Context, key cacheKey, read rangeRead) *entry {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	e := &entry{key: key, done: make(chan struct{}), cancel: cancel}
	l.entries[key] = e
	l.tasks.Go(func() {
		defer cancel(nil)
		file, err := l.place(ctx, key)
		l.finish(e, file, err, read)
	})
	return e
}

// leave is the opposite of join. The last one to leave ends a download that still runs.
func (c *cache) leave(e *entry) {
	c.mu.Lock()
	e.refs--
	if e.refs > 0 {
		c.mu.Unlock()
		return
	}
	c.used.InUse--
	var drop *os.File
	switch {
	case !isDone(e):
		c.forget(e)
		e.cancel(nil)
	case e.file != nil && (!e.parts.rest() || c.closed || c.cfg.Idle == 0):
		drop = c.drop(e)
	case e.file != nil:
		e.since = c.now()
		e.place = c.idle.PushBack(e)
	}
	c.tell()
	c.mu.Unlock()
	closeAll(drop)
}

func isDone(e *entry) bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

// place makes an empty file, when there is room for all of it.
func (l *lane) place(ctx context.Context, key cacheKey) (*tempFile, error) {
	if err := l.waitForRoom(ctx, key); err != nil {
		return nil, err
	}
	file, err := l.create(key)
	if err != nil {
		l.giveBack(key.pinned.Size)
	}
	return file, err
}

// finish tells those who wait. What nobody waits for any more has been forgotten already.
func (l *lane) finish(e *entry, file *tempFile, err error, read rangeRead) {
	l.mu.Lock()
	var drop *os.File
	if e.err = err; err == nil {
		e.file, e.parts = file.file, newParts(l, file, e.key.pinned.Size, read)
		if l.closed {
			e.parts.close()
		}
	}
	switch {
	case e.err != nil:
		l.forget(e)
	case e.refs == 0:
		drop = l.drop(e)
		l.tell()
	}
	close(e.done)
	l.mu.Unlock()
	closeAll(drop)
}

// forget makes the next one to ask start anew. The caller holds mu.
func (c *cache) forget(e *entry) {
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
}

// drop forgets a download; the caller holds mu, and closes the file when it no longer does.
func (c *cache) drop(e *entry) *os.File {
	c.forget(e)
	e.parts.close()
	if e.place != nil {
		c.idle.Remove(e.place)
		e.place = nil
	}
	c.used.Files--
	c.used.Bytes -= e.key.pinned.Size
	return e.file
}

func (c *cache) usage() Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// check says whether downloads can be kept at the moment.
func (c *cache) check() error {
	f, err := openUnnamed(c.cfg.Folder, "")
	if err != nil {
		return fail(Unavailable, err, "The folder for downloads, %s, cannot be written: correct its path or permissions.",
			c.cfg.Folder)
	}
	_ = f.Close() // empty
	if free, err := freeBytes(c.cfg.Folder); err != nil || free < c.cfg.MinFree {
		return fail(Unavailable, err, "The disk of the folder for downloads, %s, has %d bytes free, and %d are to be left.",
			c.cfg.Folder, free, c.cfg.MinFree)
	}
	return nil
}

// close ends all downloads and drops what is unused; what is in use is dropped when it is closed.
func (c *cache) close() {
	c.stop()
	c.mu.Lock()
	c.closed = true
	for _, e := range c.entries {
		e.cancel(errClosed()) // of one that has a file: without effect
		if e.parts != nil {
			e.parts.close()
		}
	}
	c.mu.Unlock()
	c.tasks.Wait()
	for c.dropOldest() {
	}
}

func errClosed() error {
	return fail(Unavailable, errors.New("the buckets are closed"), "The server is being stopped: try again later.")
}

// closeAll closes files that are thrown away; nil is none.
func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close() // what was written does not matter any more
		}
	}
}
