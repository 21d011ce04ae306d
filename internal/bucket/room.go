package bucket

import (
	"context"
	"fmt"
	"os"
	"time"
)

// This file is where the cache finds room for downloads: within its budget, on its disk, and in time.

// waitForRoom counts a download in before it begins. Where others run, which with several servers may want more than there is, it
// waits for these and then for who reads them: they may take hours, and whoever tries again would have given up by then.
func (c *cache) waitForRoom(ctx context.Context, key cacheKey) error {
	for waited := false; ; waited = true {
		wait, err := c.reserve(key, waited)
		if wait == nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// reserve counts a download in if there is room, which is made by dropping what has been unused for longest. If there may be some
// later, it says what to wait for.
func (c *cache) reserve(key cacheKey, waited bool) (wait <-chan struct{}, err error) {
	size := key.pinned.Size
	if size > c.cfg.MaxBytes {
		return nil, fail(TooLarge, nil, "Object %q has %d bytes, more than all downloads together may have (%d): raise that limit.",
			key.object.Key, size, c.cfg.MaxBytes)
	}
	var dropped []*os.File
	defer func() { closeAll(dropped...) }()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.used.Bytes > c.cfg.MaxBytes-size {
		oldest := c.oldest()
		if oldest == nil && (waited || c.running(key)) {
			return c.changed, nil
		}
		if oldest == nil {
			return nil, fail(Unavailable, nil, "Downloads in use take %d bytes of the %d that all may: "+
				"try again when other work is done, or raise that limit.", c.used.Bytes, c.cfg.MaxBytes)
		}
		dropped = append(dropped, c.drop(oldest))
	}
	c.used.Files++
	c.used.Bytes += size
	return nil, nil
}

// running says whether any download that is in use, but for one, is not complete. The caller holds mu.
func (c *cache) running(but cacheKey) bool {
	for key, e := range c.entries {
		if key != but && e.refs > 0 && e.parts != nil && !e.parts.whole.Load() {
			return true
		}
	}
	return false
}

// giveBack takes back the reservation of a download that has failed to get a file.
func (c *cache) giveBack(size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.used.Files--
	c.used.Bytes -= size
	c.tell()
}

// tell wakes those who wait for room. The caller holds mu.
func (c *cache) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// create makes the file for a download if that leaves enough of the disk free. Here too the longest unused make room.
func (c *cache) create(key cacheKey) (*tempFile, error) {
	c.disk.Lock()
	defer c.disk.Unlock()
	for {
		free, err := freeBytes(c.cfg.Folder)
		if err != nil {
			return nil, fail(Unavailable, err, "The folder for downloads cannot be reached: correct its path or permissions.")
		}
		if free-key.pinned.Size >= c.cfg.MinFree {
			return newTempFile(c.cfg.Folder, key.object.Key, key.pinned.Size, c.cfg.MinFree)
		}
		if !c.dropOldest() {
			return nil, diskFull(fmt.Errorf("%d bytes are free, %d needed and %d to be left", free, key.pinned.Size, c.cfg.MinFree))
		}
	}
}

func (c *cache) dropOldest() bool {
	c.mu.Lock()
	var drop *os.File
	oldest := c.oldest()
	if oldest != nil {
		drop = c.drop(oldest)
	}
	c.mu.Unlock()
	closeAll(drop)
	return oldest != nil
}

// oldest is the download that has been unused for longest, or nil. The caller holds mu.
func (c *cache) oldest() *entry {
	if front := c.idle.Front(); front != nil {
		e, _ := front.Value.(*entry) // nothing else is in the list
		return e
	}
	return nil
}

func (c *cache) sweepEvery(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.sweep()
		}
	}
}

// sweep drops what has been unused for too long.
func (c *cache) sweep() {
	var dropped []*os.File
	c.mu.Lock()
	for e := c.oldest(); e != nil && c.now().Sub(e.since) >= c.cfg.Idle; e = c.oldest() {
		dropped = append(dropped, c.drop(e))
	}
	c.mu.Unlock()
	closeAll(dropped...)
}
