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
	Audit  *Log
	Now    func() time.Time
	Errors *slog.Logger // told of entries that cannot be written
}

// FacesEnrolled writes which faces were enrolled.
func (e Events) FacesEnrolled(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesEnrolled(ctx, c, ids)
	e.write(ctx, c, Entry{Operation: "FacesEnrolled", Enrolled: faceIDs(ids)})
}

// FacesDeleted writes which faces were deleted.
func (e Events) FacesDeleted(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesDeleted(ctx, c, ids)
	e.write(ctx, c, Entry{Operation: "FacesDeleted", Deleted: faceIDs(ids)})
}

func (e Events) write(ctx context.Context, c service.CollectionID, entry Entry) {
	by := service.OriginOf(ctx)
	entry.Request, entry.Key, entry.Name, entry.Address = by.Request, by.Caller.Key, by.Caller.Name, by.Address
	entry.Time, entry.Resources, entry.Outcome = e.Now(), []string{"collection/" + string(c)}, "OK"
	if err := e.Audit.Write(entry); err != nil {
		e.Errors.LogAttrs(ctx, slog.LevelError, "audit log fails", slog.Any("error", err),
			slog.String("operation", entry.Operation), slog.String("request_id", by.Request),
			slog.String("collection_id", string(c)), slog.Int("faces", len(entry.Enrolled)+len(entry.Deleted)))
	}
}

func faceIDs(ids []face.ID) []string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	return texts
}
