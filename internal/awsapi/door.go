package awsapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/rs/cors"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sigv4"
	"github.com/spotter-video/spotter/internal/awsapi/internal/sts"
	"github.com/spotter-video/spotter/internal/service"
)

// Config is what a [Door] needs. Everything in it must be safe for concurrent use.
type Config struct {
	Service Service
	Keys    Keys
	// Sessions makes and reads temporary credentials, Roles are those that callers may take on, by name, and WebIdentities checks
	// tokens of identity providers; nil for none.
	Sessions      *Sessions
	Roles         map[string]Role
	WebIdentities WebIdentities
	// Region and Account are those of the ARNs. Callers may sign for any region: which one is their setting, and no claim.
	Region, Account string
	// Now is the clock that signatures are checked against; Random makes request ids, nil is crypto/rand.
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Refusals takes what is said of requests that were refused before anybody knew whose they are. Strangers can send any number
	// of them, so it should not write them all. Nil for Log.
	Refusals *slog.Logger
	Limits   Limits
	// Observe is told of every request: the operation's name, the code as [Entry] has it, and how long it took. Names and
	// codes are of short lists. Nil for nobody.
	Observe func(operation, code string, took time.Duration)
	// Audit is told of every request whose signature was good, before it is answered. Nil for nobody.
	Audit func(Entry)
	// Attend, if set, is told of a request before it is carried out, and gives the context for that, and whom to tell of it instead
	// of Audit.
	Attend func(context.Context, Entry) (context.Context, func(Entry))
	// Sender says whom an address counts for where addresses get shares. Nil for each itself.
	Sender func(address string) string
	// MaxBody is the largest body of a request in bytes; 0 for as much as the largest image inline takes.
	MaxBody int64
	// NeutralAttributes answers with Value false and Confidence 50 for attributes that are asked for and not known, instead of
	// leaving them out: clients that read them unguarded do not fail.
	NeutralAttributes bool
	// Unsigned lets everybody in as the administrator, whatever their signature is, but no web page of another origin. It is for
	// listeners on loopback, and only for requests whose Host is one of this machine: who sets it has to see to both.
	Unsigned bool
	// BasePath is where the API is beside "/", without a slash at its end; empty for nowhere else.
	BasePath string
	// Origins are where web pages come from that may use the API in a browser, as browsers say it; "*" is everywhere.
	Origins []string
}

// Door is the API as an [http.Handler]. Every answer is JSON and names its request.
//
// A request is looked at in this order: its signature, as far as it can be judged without the body, the body, its caller's rates,
// its operation, its shape, the caller's policy. The server in front of it must have a read timeout, see [Limits].
type Door struct {
	cfg      Config
	table    table
	throttle *throttle
	intake   *intake
	cors     *cors.Cors // nil for no pages
	stopped  atomic.Bool
}

// New makes a door to a service. An error says what the configuration lacks.
func New(cfg Config) (*Door, error) { return newDoor(cfg, operations()) }

func newDoor(cfg Config, ops []operation) (*Door, error) {
	switch {
	case cfg.Service == nil:
		return nil, errors.New("API door: the service is missing")
	case cfg.Keys == nil && !cfg.Unsigned:
		return nil, errors.New("API door: the access keys are missing")
	case cfg.Sessions == nil:
		return nil, errors.New("API door: the sessions are missing")
	case cfg.Now == nil || cfg.Log == nil:
		return nil, errors.New("API door: the clock or the log is missing")
	case cfg.Region == "" || cfg.Account == "":
		return nil, errors.New("API door: the region or the account is missing")
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = defaultMaxBody
	}
	if cfg.Refusals == nil {
		cfg.Refusals = cfg.Log
	}
	if cfg.Sender == nil {
		cfg.Sender = func(address string) string { return address }
	}
	t, err := newTable(ops)
	if err != nil {
		return nil, fmt.Errorf("API door: %w", err)
	}
	if err := cfg.Limits.check(t); err != nil {
		return nil, fmt.Errorf("API door: %w", err)
	}
	return &Door{
		cfg: cfg, table: t, throttle: newThrottle(cfg.Limits, cfg.Now), intake: newIntake(cfg.Limits.Bodies),
		cors: newCORS(cfg.Origins),
	}, nil
}

// Stop makes the door turn away requests that come from now on, in a way that makes SDKs try again. Those that are in are
// not disturbed. It may be called more than once.
func (d *Door) Stop() { d.stopped.Store(true) }

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.preflight(w, r) {
		return
	}
	if r.Method == http.MethodGet && d.isHere(r.URL.Path) {
		d.write(w, d.begin(r), http.StatusOK, []byte(hint))
		return
	}
	d.answer(w, r, func(x *exchange) (any, error) { return d.guarded(x, r) })
}

// Refuse answers a request as the API does, with an exception of this name, and tells the log and the metrics. It is for what
// stands before the door.
func (d *Door) Refuse(w http.ResponseWriter, r *http.Request, status int, exception, message string) {
	if d.preflight(w, r) {
		return // so that the page can read why the request itself is refused
	}
	d.answer(w, r, func(*exchange) (any, error) {
		return nil, &failure{exception: exception, status: status, message: message, modelled: true}
	})
}

func (d *Door) answer(w http.ResponseWriter, r *http.Request, do func(*exchange) (any, error)) {
	x := d.begin(r)
	defer d.intake.paced(w, r).stop()
	out, err := do(x)
	if err == nil {
		err = d.encode(x, out)
	}
	if err != nil {
		d.fail(w, r, x, err)
	}
	d.tell(x)
	d.write(w, x, x.status, x.body)
}

// hint is for who looks at the API with a browser.
const hint = `{"message":"This is Spotter's API, which is Amazon Rekognition's for faces. Set it as the endpoint URL of an ` +
	`AWS SDK or of the AWS command line: AWS_ENDPOINT_URL_REKOGNITION."}`

// exchange is one request and what becomes of it.
type exchange struct {
	id     string
	begun  time.Time
	target string
	// operation is what logs and metrics call what is asked for: one of a list that strangers cannot make longer.
	operation string
	// form says that the token service is asked, whose answers are XML.
	form bool
	// entry is for the audit log, nil as long as nobody knows whose request it is.
	entry *Entry
	// audit is whom to tell of it.
	audit func(Entry)

	code   string
	status int
	body   []byte
}

func (d *Door) begin(r *http.Request) *exchange {
	id, err := uuid.NewRandomFromReader(d.cfg.Random)
	if err != nil { // a request without a number can be answered all the same
		d.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "no random numbers for a request id", slog.Any("error", err))
	}
	x := &exchange{id: id.String(), begun: d.cfg.Now(), target: r.Header.Get("X-Amz-Target"), audit: d.cfg.Audit}
	if x.operation, x.form = d.table.label(x.target), isForm(r); x.form {
		x.operation = sts.Service
	}
	return x
}

// guarded processes a request and turns a panic into an error.
func (d *Door) guarded(x *exchange, r *http.Request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, internal(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return d.process(x, r)
}

// process is everything from the first look at a request to what the operation returns.
func (d *Door) process(x *exchange, r *http.Request) (any, error) {
	if err := d.checkPlace(r); err != nil {
		return nil, err
	}
	if d.stopped.Load() {
		return nil, stopping()
	}
	bill := &bill{intake: d.intake}
	defer bill.pay()
	admit := d.admit
	if x.form {
		admit = d.admitForm
	}
	who, body, err := admit(r, bill)
	if err != nil {
		return nil, err
	}
	// Only now, so that nobody is kept out by those who are nobody, or who send slowly.
	leave, ok := d.throttle.enter(bill.sender)
	if !ok {
		return nil, throttled()
	}
	defer leave()
	x.entry = &Entry{
		Time: x.begun, RequestID: x.id, Key: who.caller.Key, Name: who.caller.Name, Source: sourceOf(r),
		Operation: x.operation,
	}
	if x.form {
		return d.tokens(r.Context(), x, who, body)
	}
	return d.perform(r.Context(), x, who, body)
}

// admit says whose request it is, and reads its body. What the headers show to be bad is refused before anything is read, and
// before anything is taken from those who may come in.
//
// That an access key is not known is said at once, though saying it later would make nothing harder to guess: the answer to a known
// key with a wrong signature is another one anyway, as on AWS. Keys that are not there and keys that are disabled are told apart by nothing.
func (d *Door) admit(r *http.Request, b *bill) (*identity, []byte, error) {
	if d.cfg.Unsigned {
		return d.admitAnybody(r, b)
	}
	return d.admitSigned(r, b, rekognitionService, d.cfg.MaxBody)
}

// admitSigned is admit for a service that signatures are scoped to, and the largest body that it takes.
func (d *Door) admitSigned(r *http.Request, b *bill, service string, most int64) (*identity, []byte, error) {
	began := d.cfg.Now()
	claim, err := sigv4.Parse(r, service, began)
	if err != nil {
		return nil, nil, refusalOf(err)
	}
	h, err := d.holder(r.Context(), claim)
	if err != nil {
		return nil, nil, err
	}
	b.sender = d.cfg.Sender(sourceOf(r))
	if claim.Foretold(r.ContentLength) {
		if err = claim.VerifyHead(r.Context(), h.secret, r.ContentLength); err != nil {
			return nil, nil, refusalOf(err)
		}
		b.proven()
	}
	body, err := d.receive(r, b, most)
	if err != nil {
		return nil, nil, err
	}
	if d.cfg.Now().Sub(began) > lookAgain {
		if h, err = d.holder(r.Context(), claim); err != nil {
			return nil, nil, err
		}
	}
	if err = claim.Verify(r.Context(), h.secret, body); err != nil {
		return nil, nil, refusalOf(err)
	}
	b.proven()
	return d.identify(r.Context(), h), body, nil
}

// lookAgain is after what time a key is looked up once more: it may have been disabled, or given another policy, while a body
// was long on its way.
const lookAgain = time.Second

func (d *Door) admitAnybody(r *http.Request, b *bill) (*identity, []byte, error) {
	who, err := d.anybody(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := d.receive(r, b, d.cfg.MaxBody)
	return who, body, err
}

// receive reads a body of at most so many bytes, for as many as may be on their way in.
func (d *Door) receive(r *http.Request, b *bill, most int64) ([]byte, error) {
	leave, ok := d.throttle.arrive(b.sender)
	if !ok {
		return nil, throttled()
	}
	defer leave()
	return readBody(r, most, b)
}

// perform finds the operation and does it, if the caller may.
func (d *Door) perform(ctx context.Context, x *exchange, who *identity, body []byte) (any, error) {
	if !d.throttle.call(who.caller.Key) {
		return nil, throttled()
	}
	op, err := d.table.find(x.target)
	if err != nil {
		return nil, err
	}
	if !d.throttle.operation(who.caller.Key, op.name) {
		return nil, overRate()
	}
	in := op.input()
	if err = d.decode(ctx, op, body, in); err != nil {
		return nil, err
	}
	x.entry.about(op, in)
	if err = d.authorize(who, op, in); err != nil {
		return nil, err
	}
	ctx = service.WithOrigin(ctx, service.Origin{Request: x.id, Caller: who.caller, Address: x.entry.Source})
	if d.cfg.Attend != nil {
		ctx, x.audit = d.cfg.Attend(ctx, *x.entry)
	}
	out, err := op.handle(ctx, d.cfg.Service, d.call(x, who), in)
	if err != nil {
		return nil, failureOf(op, in, err)
	}
	x.entry.made(out)
	return out, nil
}

func (d *Door) decode(ctx context.Context, op *operation, body []byte, in any) error {
	done, err := d.intake.turn(ctx, len(body))
	if err != nil {
		return err // the caller has left
	}
	defer done()
	if err := model.Decode(op.name, body, in); err != nil {
		return undecodable(err)
	}
	return nil
}

func (d *Door) call(x *exchange, who *identity) call {
	return call{
		caller: who.caller, region: d.cfg.Region, account: d.cfg.Account, neutral: d.cfg.NeutralAttributes,
		arn:       func(id service.CollectionID) string { return d.collectionARN(id) },
		requestID: x.id,
	}
}
