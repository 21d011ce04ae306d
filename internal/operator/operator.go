package operator

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/keys"
	"github.com/spotter-video/spotter/internal/service"
)

// Config is what an [Operator] works on, and for whom.
type Config struct {
	Store service.Store
	// Keys says where the key file is, and Audit which file the audit log is, unless its entries are rows of the store.
	Keys      keys.Place
	Audit     string
	AuditRows bool
	// Process is what entries of the audit log call this process.
	Process string
	// Settings are the server's.
	Settings service.Settings
	// Knows says whether somebody is to be told of the end of a job that names this topic.
	Knows func(topic string) bool
	// Roles are the names of the roles that the server's configuration has.
	Roles []string
	// User is the name of who gives the commands, for the audit log.
	User string
	Now  func() time.Time
	// Close is called by [Operator.Close].
	Close func() error
}

// Operator looks after what a server keeps: access keys and jobs. Close it.
type Operator struct {
	config Config
	store  service.Store
	jobs   *service.Service
}

// New makes an operator. After an error the caller closes what it has opened.
func New(c Config) (*Operator, error) {
	key := make([]byte, keys.Size) // page tokens hold as long as the operator
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("make a key of page tokens: %w", err)
	}
	jobs, err := service.New(service.Ports{
		Store: c.Store, Knows: c.Knows, Wake: func() {}, Events: unwatched{}, Log: slog.New(slog.DiscardHandler), Now: c.Now,
		Random: rand.Reader, PageKey: key,
	}, c.Settings)
	if err != nil {
		return nil, err
	}
	return &Operator{config: c, store: c.Store, jobs: jobs}, nil
}

// Close closes what the operator works on.
func (o *Operator) Close() error { return o.config.Close() }

// unwatched takes no notice of events: the metrics are the server's.
type unwatched struct{}

func (unwatched) JobStarted(*service.Job)                                        {}
func (unwatched) JobEnded(*service.Job)                                          {}
func (unwatched) TaskRun(service.Task, time.Duration, error)                     {}
func (unwatched) SegmentDone(_, _ time.Duration)                                 {}
func (unwatched) GalleryLoaded(service.CollectionID, int, time.Duration)         {}
func (unwatched) GallerySize(service.CollectionID, int)                          {}
func (unwatched) FacesEnrolled(context.Context, service.CollectionID, []face.ID) {}
func (unwatched) FacesDeleted(context.Context, service.CollectionID, []face.ID)  {}
