package audit

import (
	"context"
	"log/slog"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// Events hands events on and writes the changes of faces to the audit log as well: which faces a request has
// enrolled or deleted is known here only.
type Events struct {
	service.Events
	Audit   *Log
	Process string // what entries call this process
	Now     func() time.Time
	Errors  *slog.Logger // told of entries that cannot be written
}

// FacesEnrolled writes which faces were enrolled.
func (e Events) FacesEnrolled(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesEnrolled(ctx, c, ids)
	e.write(ctx, service.FacesEnrolled, c, ids)
}

// FacesDeleted writes which faces were deleted.
func (e Events) FacesDeleted(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesDeleted(ctx, c, ids)
	e.write(ctx, service.FacesDeleted, c, ids)
}

func (e Events) write(ctx context.Context, operation string, c service.CollectionID, ids []face.ID) {
	by := service.OriginOf(ctx)
	entry := service.FacesEntry(Entry{
		Time: e.Now(), Process: e.Process, Request: by.Request, Key: by.Caller.Key, Name: by.Caller.Name, Address: by.Address,
	}, operation, c, ids)
	if err := e.Audit.Write(entry); err != nil {
		e.Errors.LogAttrs(ctx, slog.LevelError, "audit log fails", slog.Any("error", err),
			slog.String("operation", operation), slog.String("request_id", by.Request),
			slog.String("collection_id", string(c)), slog.Int("faces", len(ids)))
	}
}
