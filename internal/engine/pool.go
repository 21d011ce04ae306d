package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/spotter-video/spotter/internal/recognizer"
)

// pool lends recognizers, and makes them as they are needed. A recognizer stands for a core: whoever works hard holds
// one. Safe for concurrent use.
type pool struct {
	make  func() (*recognizer.Recognizer, error)
	slots chan struct{} // holds one for each recognizer that is lent
	mu    sync.Mutex
	idle  []*recognizer.Recognizer
	made  map[*recognizer.Recognizer]int // numbered from 1
}

func newPool(most int, r *recognizer.Runtime, pack *recognizer.Pack) *pool {
	return &pool{
		make:  func() (*recognizer.Recognizer, error) { return r.New(pack, recognizer.Options{}) },
		slots: make(chan struct{}, most), made: map[*recognizer.Recognizer]int{},
	}
}

// take waits for a free recognizer. What is taken is given back.
func (p *pool) take(ctx context.Context) (*recognizer.Recognizer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if rec := p.pick(); rec != nil {
		return rec, nil
	}
	rec, err := p.make()
	if err != nil {
		<-p.slots
		return nil, err
	}
	p.mu.Lock()
	p.made[rec] = len(p.made) + 1
	p.mu.Unlock()
	return rec, nil
}

// number is a recognizer's, from 1.
func (p *pool) number(rec *recognizer.Recognizer) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made[rec]
}

func (p *pool) pick() *recognizer.Recognizer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	rec := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return rec
}

func (p *pool) give(rec *recognizer.Recognizer) {
	p.mu.Lock()
	p.idle = append(p.idle, rec)
	p.mu.Unlock()
	<-p.slots
}

// size is the most recognizers that are lent at once.
func (p *pool) size() int { return cap(p.slots) }

// close frees the recognizers, all of which have been given back.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	for _, rec := range p.idle {
		err = errors.Join(err, rec.Close())
	}
	p.idle = nil
	return err
}
