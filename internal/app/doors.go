package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/spotter-video/spotter/internal/audit"
	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/gate"
	"github.com/spotter-video/spotter/internal/keys"
)

// doorKeys are the access keys as the API asks for them.
type doorKeys struct{ *keys.Ring }

// Key implements [awsapi.Keys].
func (k doorKeys) Key(ctx context.Context, id string) (awsapi.Credential, error) {
	key, err := k.Ring.Key(ctx, id)
	return awsapi.Credential(key), err
}

// sessions are sealed with the key file's key, but where signatures are not checked: what anybody may have here must be good nowhere
// else.
func (s *server) sessions() (*awsapi.Sessions, error) {
	key := s.keys.SessionKey()
	if s.config.Unsigned {
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("make a key of sessions: %w", err)
		}
	}
	return awsapi.NewSessions(key, s.request.Now)
}

// openHealth says what must be well before requests are sent here.
func (s *server) openHealth(context.Context) error {
	checks := []readiness{{"store", s.store.Ping}}
	if s.config.Serves() {
		checks = append(checks, readiness{"faces", func(context.Context) error {
			if !s.loaded.Load() {
				return &notReadyError{"collections are being read into memory"}
			}
			return nil
		}})
	}
	s.health = newHealth(healthConfig{Now: s.request.Now, Log: s.log, Checks: checks})
	s.openSparingLogs()
	return nil
}

func (s *server) openDoor(context.Context) (err error) {
	if !s.config.Serves() {
		return nil
	}
	rates := map[string]float64{}
	for operation, rate := range s.config.Rates {
		rates[operation] = float64(rate)
	}
	sessions, err := s.sessions()
	if err != nil {
		return err
	}
	roles, err := rolesOf(&s.config)
	if err != nil {
		return err
	}
	identities, err := webIdentitiesOf(&s.config, s.request.Now)
	if err != nil {
		return err
	}
	s.door, err = awsapi.New(awsapi.Config{
		Service: s.service, Keys: doorKeys{s.keys}, Sessions: sessions, Roles: roles, WebIdentities: identities, Region: string(s.config.Region), Account: string(s.config.Account),
		Now: s.request.Now, Log: s.log, Observe: s.metrics.Observe, Audit: s.record, Attend: s.attend(), MaxBody: int64(s.config.MaxBody),
		Refusals: s.refusals, Sender: gate.Sender, Unsigned: bool(s.config.Unsigned),
		NeutralAttributes: s.config.AbsentAttributes == config.NeutralAttributes,
		BasePath:          string(s.config.BasePath), Origins: texts(s.config.AllowedOrigins),
		Limits: awsapi.Limits{
			PerOperation: rates, PerKey: float64(s.config.RatePerKey), Overall: float64(s.config.Rate),
			InFlight: int(s.config.RequestsInFlight), Doors: s.queue.Doors,
		},
	})
	if err != nil {
		return &fault.UsageError{Err: err} // of a name or a number in the settings
	}
	return nil
}

// auditEntry puts what the API tells of a request into an entry.
func auditEntry(e awsapi.Entry) audit.Entry {
	entry := audit.Entry{
		Time: e.Time, Request: e.RequestID, Key: e.Key, Name: e.Name, Address: e.Source, Operation: e.Operation, Outcome: e.Code,
	}
	for _, part := range []struct{ kind, id string }{{"collection", e.Collection}, {"user", e.User}, {"job", e.Job}} {
		if part.id != "" {
			entry.Resources = append(entry.Resources, part.kind+"/"+part.id)
		}
	}
	entry.Resources = append(entry.Resources, e.Objects...)
	if e.Role != "" {
		entry.Resources = append(entry.Resources, e.Role)
	}
	return entry
}

// record writes a request to the audit log; of those that were throttled, and so read and changed nothing, the first few of a minute.
func (s *server) record(e awsapi.Entry) {
	throttled := e.Code == "ThrottlingException" || e.Code == "ProvisionedThroughputExceededException"
	if !throttled || s.throttled.Passes(e.Key+" "+e.Operation+" "+e.Code, e) {
		s.write(auditEntry(e))
	}
}

// recordMore writes how many more requests were throttled.
func (s *server) recordMore(kind string, first awsapi.Entry, more int) {
	entry := audit.Entry{
		Time: s.request.Now(), Key: first.Key, Name: first.Name, Operation: first.Operation, Outcome: first.Code, More: more,
	}
	if kind == gate.Others {
		entry.Key, entry.Name, entry.Operation = "", "", kind
	}
	s.write(entry)
}

// write writes an entry. One that cannot be written is told of, and the request answered all the same.
func (s *server) write(entry audit.Entry) {
	entry.Process = s.process
	if err := s.audit.Write(entry); err != nil {
		s.log.Error("audit log fails", slog.Any("error", err), slog.String("operation", entry.Operation))
	}
}

// handler puts the doors together. It counts the requests: galleries and database must not be closed under one that has
// outlived the time for stopping and was cut off. Paths are taken as they are, where an [http.ServeMux] would send clients elsewhere:
// they sign what they ask for.
func (s *server) handler() http.Handler {
	counted := s.metrics.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answering.Add(1)
		defer s.answering.Done()
		looks := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case looks && r.URL.Path == "/healthz":
			s.health.Healthz(w, r)
		case looks && r.URL.Path == "/readyz":
			s.health.Readyz(w, r)
		case looks && r.URL.Path == "/metrics" && s.config.MetricsBesideAPI():
			counted.ServeHTTP(w, r)
		default:
			s.door.ServeHTTP(w, r)
		}
	})
}

// metricsHandler is the door of those who watch over the server.
func (s *server) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /healthz", s.health.Healthz)
	mux.HandleFunc("GET /readyz", s.health.Readyz)
	return mux
}

// refuse answers a request that is not let through.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, status int, exception, message string) {
	if s.door == nil {
		http.Error(w, message, status)
		return
	}
	s.door.Refuse(w, r, status, exception, message)
}

// How long a client may take to send a request's head, and all of it; and how long a connection may idle. The largest body
// takes a link of 2 Mb/s a minute.
const (
	headTimeout = 10 * time.Second
	bodyTimeout = time.Minute
	idleTimeout = 2 * time.Minute
)

// httpServer is a server for a handler, behind a gate.
func (s *server) httpServer(address config.Address, h http.Handler) *http.Server {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: s.httpLog,
		TLSConfig: s.certificates.config(),
	}
	g := gate.New(gate.Config{
		Hosts:       gate.NewHosts(address.Loopback(), texts(s.config.AllowedHosts)),
		Connections: int(s.config.Connections), Refuse: s.refuse,
	})
	g.Guard(server)
	s.gates = append(s.gates, g)
	return server
}

// openSparingLogs makes the logs of what strangers can cause.
func (s *server) openSparingLogs() {
	refusals := gate.NewSparing(s.log.Handler(), s.request.Now, gate.KindByCode)
	s.onClose(refusals.Close)
	s.refusals = slog.New(refusals)
	s.throttled = gate.NewTally(s.recordMore)
	s.onClose(s.throttled.Close)
	// Of net/http's messages are many in which only an address differs.
	ofHTTP := gate.NewSparing(s.log.Handler(), s.request.Now, func(slog.Record) string { return "messages of net/http" })
	s.onClose(ofHTTP.Close)
	s.httpLog = slog.NewLogLogger(ofHTTP, slog.LevelDebug)
}

// connections adds up the listeners' connections: those that are open, and those that were closed for want of room.
func (s *server) connections() (open int, cut int64) {
	for _, g := range s.gates {
		o, c := g.Connections()
		open, cut = open+o, cut+c
	}
	return open, cut
}

// texts are a list of settings as their readers know them.
func texts[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, item := range list {
		all[i] = string(item)
	}
	return all
}
