package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

// nemesis breaks things, one after another and some at once.
type nemesis struct {
	world  *world
	random *rand.Rand
	mended sync.WaitGroup
}

func newNemesis(w *world, r *rand.Rand) *nemesis { return &nemesis{world: w, random: r} }

// rage breaks things until the context ends, and waits until what mends itself has.
func (n *nemesis) rage(ctx context.Context) {
	defer n.mended.Wait()
	faults := []func(context.Context){
		n.kill, n.kill, n.pause, n.pause, n.terminate, n.cut, n.cut, n.hang, n.slow, n.crash, n.failOver, n.spoilS3, n.hookAway, n.fillDisk,
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(1000+n.random.IntN(5000)) * time.Millisecond):
		}
		faults[n.random.IntN(len(faults))](ctx)
	}
}

func (n *nemesis) someone() *process { return n.world.processes[n.random.IntN(len(n.world.processes))] }

func (n *nemesis) between(least, most time.Duration) time.Duration {
	return least + time.Duration(n.random.Int64N(int64(most-least)))
}

// later does something after a while, or at the end.
func (n *nemesis) later(ctx context.Context, d time.Duration, do func()) {
	n.mended.Go(func() {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
		do()
	})
}

func (n *nemesis) kill(ctx context.Context) {
	p, d := n.someone(), n.between(0, 10*time.Second)
	n.world.tell("kill %s, and start it after %v", p.name, d.Round(time.Millisecond))
	p.end(syscall.SIGKILL)
	n.later(ctx, d, func() { _ = p.start() })
}

func (n *nemesis) terminate(ctx context.Context) {
	p := n.someone()
	n.world.tell("terminate %s", p.name)
	n.later(ctx, 0, func() {
		p.end(syscall.SIGTERM)
		_ = p.start()
	})
}

func (n *nemesis) pause(ctx context.Context) {
	p, d := n.someone(), n.between(time.Second, 40*time.Second)
	n.world.tell("stop %s for %v", p.name, d.Round(time.Millisecond))
	p.signal(syscall.SIGSTOP)
	n.later(ctx, d, func() { p.signal(syscall.SIGCONT) })
}

func (n *nemesis) cut(context.Context) {
	n.world.tell("cut the database's connections")
	for _, d := range n.world.doors {
		d.cut()
	}
}

func (n *nemesis) hang(ctx context.Context) {
	d := n.between(time.Second, 25*time.Second)
	n.world.tell("nothing passes to the database for %v", d.Round(time.Millisecond))
	for _, door := range n.world.doors {
		door.hangs.Store(true)
	}
	n.later(ctx, d, func() {
		for _, door := range n.world.doors {
			door.hangs.Store(false)
		}
	})
}

func (n *nemesis) slow(ctx context.Context) {
	d := n.between(time.Second, 15*time.Second)
	n.world.tell("the database is 20 ms farther away for %v", d.Round(time.Millisecond))
	for _, door := range n.world.doors {
		door.delay.Store(int64(10 * time.Millisecond))
	}
	n.later(ctx, d, func() {
		for _, door := range n.world.doors {
			door.delay.Store(0)
		}
	})
}

// crash kills the database's server and starts it again.
func (n *nemesis) crash(ctx context.Context) {
	n.world.tell("the database crashes")
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	n.world.primary.Kill()
	time.Sleep(n.between(0, 3*time.Second))
	if err := n.world.primary.Start(context.WithoutCancel(ctx)); err != nil {
		n.world.tell("and does not start: %v", err)
	}
}

// failOver kills the database's server, has the standby take over, and makes a new standby.
func (n *nemesis) failOver(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	n.world.mu.Lock()
	defer n.world.mu.Unlock()
	if n.world.standby == nil {
		return
	}
	n.world.tell("the database dies, and its standby takes over")
	before := n.world.primary
	before.Kill()
	if err := n.world.standby.Promote(ctx); err != nil {
		n.world.tell("the standby does not take over: %v", err)
		if err := before.Start(ctx); err != nil {
			n.world.tell("and the other does not start: %v", err)
		}
		return
	}
	n.world.primary, n.world.standby = n.world.standby, nil
	before.Stop()
	next, err := n.world.primary.Standby(ctx)
	if err != nil {
		n.world.tell("there is no new standby: %v", err)
		return
	}
	n.world.standby = next
	for _, door := range n.world.doors {
		if door.leads(before) {
			door.lead(next.Socket())
		}
	}
}

func (p *tcp) leads(to *pgserver.Server) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.socket == to.Socket()
}

func (n *nemesis) spoilS3(ctx context.Context) {
	d := n.between(time.Second, 20*time.Second)
	n.world.tell("half of the S3 server's answers are bad for %v", d.Round(time.Millisecond))
	n.world.flaky.trouble.Store(50)
	n.later(ctx, d, func() { n.world.flaky.trouble.Store(0) })
}

func (n *nemesis) hookAway(ctx context.Context) {
	d := n.between(time.Second, 20*time.Second)
	n.world.tell("the webhook is away for %v", d.Round(time.Millisecond))
	n.world.hook.away.Store(true)
	n.later(ctx, d, func() { n.world.hook.away.Store(false) })
}

func (n *nemesis) fillDisk(ctx context.Context) {
	p, d := n.someone(), n.between(time.Second, 20*time.Second)
	if !p.fillDisk() {
		return
	}
	n.world.tell("the disk of %s's downloads is full for %v", p.name, d.Round(time.Millisecond))
	n.later(ctx, d, p.emptyDisk)
}
