package bucket

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

// A download comes in blocks, as they are needed. Who reads on gets more and more at once, as of a file on a slow disk: up to
// mostAhead, which costs a request for each 4 MiB, and keeps what is fetched in vain small.
const (
	blockSize = 256 << 10
	mostAhead = 4 << 20
	// mostEnds bounds how many readers of one file are remembered.
	mostEnds = 64
)

// rangeRead brings the bytes from..to of an object.
type rangeRead func(ctx context.Context, from, to int64, w io.Writer) error

// parts is a file of which some is there.
type parts struct {
	lane *lane
	file *tempFile
	size int64
	read rangeRead

	mu     sync.Mutex
	have   []bool // blocks; guarded by mu, as are the following
	runs   []*run
	ends   map[int64]int64 // how much was asked for by the run that ended here, for whoever goes on
	failed bool
	closed bool

	whole atomic.Bool // all blocks are there
}

// run brings some bytes, one after another. Its fields are guarded by the lock of its parts.
type run struct {
	at, end int64
	waiters int
	changed chan struct{} // closed, and made anew, when a block is there or the run has ended
	dropped bool          // nobody wants it any more
	over    bool
	err     error
	cancel  context.CancelCauseFunc
}

func newParts(l *lane, file *tempFile, size int64, read rangeRead) *parts {
	p := &parts{
		lane: l, file: file, size: size, read: read, have: make([]bool, (size+blockSize-1)/blockSize), ends: map[int64]int64{},
	}
	p.whole.Store(size == 0)
	return p
}

// fetch waits until the bytes from..to are there, and says up to where all after from are.
func (p *parts) fetch(ctx context.Context, from, to int64) (end int64, err error) {
	from, to = max(from, 0), min(to, p.size)
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		missing := p.missing(from, to)
		if missing >= to {
			end = p.missing(from, p.size)
			p.goOn(ctx, to, end)
			return end, nil
		}
		if p.closed {
			return 0, errClosed()
		}
		r := p.coming(missing)
		if r == nil {
			r = p.begin(ctx, missing, to)
		}
		if err := p.wait(ctx, r); err != nil && p.missing(from, to) < to { // it may have come before what has failed
			return 0, err
		}
	}
}

// missing is the first byte from..to that is not there; to if all are. The caller holds mu, as for what follows.
func (p *parts) missing(from, to int64) int64 {
	for b := from / blockSize; b*blockSize < to; b++ {
		if !p.have[b] {
			return max(b*blockSize, from)
		}
	}
	return max(from, to)
}

// coming is the run that is to bring a byte; nil if there is none.
func (p *parts) coming(at int64) *run {
	for _, r := range p.runs {
		if !r.dropped && at >= r.at-r.at%blockSize && at < r.end {
			return r
		}
	}
	return nil
}

// begin begins a run with the block of a byte. It is nobody's: it keeps the caller's values, but does not end with it.
func (p *parts) begin(ctx context.Context, at, to int64) *run {
	at -= at % blockSize
	ahead := int64(blockSize)
	if before := p.ends[at]; before > 0 {
		ahead = min(2*before, mostAhead)
		delete(p.ends, at)
	}
	end := at + blockSize
	for end < p.size && end < max(to, at+ahead) && !p.have[end/blockSize] && p.coming(end) == nil {
		end += blockSize
	}
	end = min(end, p.size)
	if len(p.ends) >= mostEnds {
		clear(p.ends)
	}
	p.ends[end] = ahead
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r := &run{at: at, end: end, changed: make(chan struct{}), cancel: cancel}
	p.runs = append(p.runs, r)
	p.lane.tasks.Go(func() {
		defer cancel(nil)
		p.finish(r, p.bring(ctx, r, at, end))
	})
	return r
}

// goOn begins to bring what comes after end, for a reader who has come near it and has read on before.
func (p *parts) goOn(ctx context.Context, to, end int64) {
	if before := p.ends[end]; !p.closed && end < p.size && before > blockSize && end-to <= before/2 && p.coming(end) == nil {
		p.begin(ctx, end, end)
	}
}

// wait waits until a run has brought something. It lets go of the lock meanwhile. A run ends when all who wait for it go away.
func (p *parts) wait(ctx context.Context, r *run) error {
	changed := r.changed
	r.waiters++
	p.mu.Unlock()
	var err error
	select {
	case <-changed:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.mu.Lock()
	if r.waiters--; r.waiters == 0 && err != nil && !r.over {
		r.drop()
	}
	if err == nil && r.over && !r.dropped {
		err = r.err
	}
	return err
}

// bring reads what a run is to bring, when it is its turn. The lock is not held.
func (p *parts) bring(ctx context.Context, r *run, from, to int64) error {
	select {
	case p.lane.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-p.lane.slots }()
	return p.read(ctx, from, to, &runWriter{p, r})
}

func (p *parts) finish(r *run, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && r.at < r.end {
		err = io.ErrUnexpectedEOF
	}
	r.over, r.err = true, err
	for i := range p.runs {
		if p.runs[i] == r {
			p.runs = append(p.runs[:i], p.runs[i+1:]...)
			break
		}
	}
	p.failed = p.failed || err != nil && !r.dropped
	r.tell()
}

// drop ends a run that nobody wants. Who comes now begins another one.
func (r *run) drop() {
	r.dropped = true
	r.cancel(context.Canceled)
}

func (r *run) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// runWriter puts what comes in its place.
type runWriter struct {
	parts *parts
	run   *run
}

// Write takes what comes next. Blocks that are whole are there from now on.
func (w *runWriter) Write(b []byte) (int, error) {
	p, r := w.parts, w.run
	n, err := p.file.writeAt(b, r.at) // nobody else changes at
	p.lane.fetched.Add(int64(n))
	p.mu.Lock()
	defer p.mu.Unlock()
	before := r.at / blockSize
	r.at += int64(n)
	after := r.at / blockSize
	if r.at == p.size {
		after = int64(len(p.have))
	}
	for ; before < after; before++ {
		p.have[before] = true
		if before+1 == after {
			p.whole.Store(!slices.Contains(p.have, false))
			r.tell()
		}
	}
	return n, err
}

// rest ends what nobody waits for, and says whether what is there is worth keeping.
func (p *parts) rest() (keep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.runs {
		r.drop()
	}
	return !p.failed && (p.size == 0 || slices.Contains(p.have, true))
}

// close ends everything. The file is not closed.
func (p *parts) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, r := range p.runs {
		r.cancel(errClosed())
	}
}
