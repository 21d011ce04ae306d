package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/jobs"
	"github.com/spotter-video/spotter/internal/operator"
)

// OperatorRequest is what an operator's commands need beside the settings.
type OperatorRequest struct {
	// User is the name of who gives the command, for the audit log.
	User string
	Now  func() time.Time
}

// OpenOperator opens the data that the settings name, for an operator to look after. Errors are [*fault.UsageError] and the
// system's.
func OpenOperator(ctx context.Context, c config.Config, s config.Server, r OperatorRequest) (*operator.Operator, error) {
	db, err := openBeside(ctx, &s)
	if err != nil {
		return nil, err
	}
	queue := jobs.Default()
	queue.Now = r.Now
	tasks, err := jobs.New(db.queue, queue) // for what others need when a job is ended; it runs nothing
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	o, err := operator.New(operator.Config{
		Store: db.store(tasks.Enqueue), Keys: keyPlace(&s), Audit: dataFile(&s, auditFile), AuditRows: s.AuditInDatabase(),
		Process: processName(&s, "operator"), Settings: serviceSettings(&c, &s),
		Knows: func(topic string) bool { return mayKnow(&s, topic) }, Roles: slices.Sorted(maps.Keys(s.Roles)),
		User: r.User, Now: r.Now, Close: db.close,
	})
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return o, nil
}

// mayKnow says whether somebody is to be told of a job's end. An operator may not have the server's configuration at hand: as
// long as unknown topics are rejected, the server has known the topic that a job names.
func mayKnow(s *config.Server, topic string) bool {
	_, known := s.Topics[topic]
	return known || s.UnknownTopics == config.RejectTopics
}
