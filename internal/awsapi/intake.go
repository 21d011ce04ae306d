package awsapi

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// defaultBodies holds the bodies of some 70 requests with images of 5 MB, more than any machine looks at within the time
	// that SDKs wait for an answer.
	defaultBodies = 512 << 20
	// senders is how many times as many requests may be on their way in as may be worked on: a sender who stops costs a
	// connection and little memory, and must not keep out those who do not.
	senders = 8
	// smallBody is up to where bodies are read whatever the larger ones take, and decoded without waiting.
	smallBody = 64 << 10
	// drains is how many requests are read to their end at once that have been refused, drainsEach from one address. What is over
	// that is cut off, for which a client that reads no answer before it has sent all may take a broken connection for the answer.
	drains, drainsEach = 64, 16
	// part is which part of the places and of the memory for bodies one address gets whose signatures have not been checked yet, and
	// half is what all such addresses get together of the memory: the rest is for those whose headers prove who they are, and for
	// bodies that are being worked on.
	part, half = 4, 2
	// paceStep is what has to arrive within paceTime: a link of 52 kb/s is fast enough.
	paceStep = 64 << 10
	paceTime = 10 * time.Second
)

// intake bounds what requests cost before anything is done about them. Whoever reaches the door can send one, so this must
// not grow with what they claim, nor with how slow they are.
type intake struct {
	bodies *semaphore.Weighted // in bytes, held until the answer
	// unproven is what of these bodies may take whose signature has not been checked.
	unproven *shares
	// drains has a place for each request that is read to its end because it has been refused.
	drains *shares
	// turns are for decoding bodies that are not small: it takes several times their size, and a core.
	turns *semaphore.Weighted
	// pace is how long each paceStep of a body may take.
	pace time.Duration
}

func newIntake(bodies int64) *intake {
	if bodies <= 0 {
		bodies = defaultBodies
	}
	return &intake{
		bodies: semaphore.NewWeighted(bodies), unproven: newShares(bodies/half, bodies/part), drains: newShares(drains, drainsEach),
		turns: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))), pace: paceTime,
	}
}

// bill is what the body of one request takes of an intake.
type bill struct {
	intake *intake
	// sender is the address that the body counts for; empty once it is known whose it is.
	sender string
	taken  int64
}

// upTo takes what is missing to so many bytes, if there is that much.
func (b *bill) upTo(size int64) bool {
	size -= smallBody
	if size <= b.taken {
		return true
	}
	more := size - b.taken
	if b.sender != "" && !b.intake.unproven.take(b.sender, more) {
		return false
	}
	if !b.intake.bodies.TryAcquire(more) {
		if b.sender != "" {
			b.intake.unproven.give(b.sender, more)
		}
		return false
	}
	b.taken = size
	return true
}

// proven notes that it is known whose the body is.
func (b *bill) proven() {
	if b.sender != "" {
		b.intake.unproven.give(b.sender, b.taken)
		b.sender = ""
	}
}

// pay gives back what has been taken.
func (b *bill) pay() {
	b.proven()
	b.intake.bodies.Release(b.taken)
	b.taken = 0
}

// turn waits for one to decode a body of that size; done ends it.
func (i *intake) turn(ctx context.Context, size int) (done func(), err error) {
	if size <= smallBody {
		return func() {}, nil
	}
	if err := i.turns.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { i.turns.Release(1) }, nil
}

// paced is a request's body whose sender is cut off when it stops. Stop it when nothing more is read.
type paced struct {
	io.ReadCloser
	timer *time.Timer
	time  time.Duration
	step  int
	begun bool // whether anybody has asked for any of it
}

// pace makes a request's body one that must come at a pace.
func (i *intake) paced(w http.ResponseWriter, r *http.Request) *paced {
	c := http.NewResponseController(w)
	p := &paced{ReadCloser: r.Body, time: i.pace}
	p.timer = time.AfterFunc(i.pace, func() {
		// Any time that has passed ends the read that waits. Where it cannot be set, the server's own limit has to do.
		_ = c.SetReadDeadline(time.Unix(1, 0))
	})
	r.Body = p
	return p
}

// Read counts what arrives.
func (p *paced) Read(b []byte) (int, error) {
	p.begun = true
	n, err := p.ReadCloser.Read(b)
	if p.step += n; p.step >= paceStep {
		p.step = 0
		p.timer.Reset(p.time)
	}
	if err != nil {
		p.stop()
	}
	return n, err
}

func (p *paced) stop() { p.timer.Stop() }

// drain reads on where an answer comes before the whole of the request: many clients only read it once they have sent all,
// and would be told of a broken connection instead. Where too many are being read already, the connection ends with the answer.
// A client that waits to be asked for its body (Expect: 100-continue) reads the answer instead, and is not asked.
func (i *intake) drain(w http.ResponseWriter, r *http.Request, sender string, most int64) {
	body, is := r.Body.(*paced)
	waits := is && !body.begun && r.Header.Get("Expect") != ""
	leave, ok := func() {}, false
	if !waits {
		leave, ok = i.drains.place(sender)
	}
	if !ok {
		w.Header().Set("Connection", "close") // which keeps net/http from reading, too
		return
	}
	defer leave()
	if _, err := io.CopyN(io.Discard, r.Body, most); err != nil {
		return // all of it has been read, or there is nobody to answer
	}
}
