package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// auditEntry says who did what, when, and what came of it. There is no place in it for images or embeddings.
type auditEntry struct {
	Time time.Time `json:"time"`
	// Request is the id that the answer carried; Key and Name are those of the access key, Address is where the request
	// came from. Of an operator's command there is the Name only.
	Request string `json:"request_id,omitempty"`
	Key     string `json:"access_key_id,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	// Operation is what was asked for, or what happened to faces: FacesEnrolled, FacesDeleted.
	Operation string `json:"operation"`
	// Resources are what it was about, such as collection/staff, user/anna, job/0123, key/AKIA0123, s3://archive/clip.mp4.
	Resources []string `json:"resources,omitempty"`
	// Outcome is "OK" or the name of the exception.
	Outcome string `json:"outcome,omitempty"`
	// More is how many more requests there were of this key, for this operation and with this outcome, in the minute that ends
	// with the entry: who is throttled can ask as often as they like. Of requests that were throttled only.
	More int `json:"more,omitempty"`
	// Enrolled and Deleted are the ids of faces.
	Enrolled []string `json:"faces_enrolled,omitempty"`
	Deleted  []string `json:"faces_deleted,omitempty"`
}

// auditOf puts what the API tells of a request into an entry.
func auditOf(e awsapi.Entry) auditEntry {
	entry := auditEntry{
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

// auditLog appends entries to a file, one JSON document a line. Safe for concurrent use, also by several processes. When
// the file has been moved away or removed the next entry begins a new one of the same name.
//
// An entry is written before Write returns and outlives the process; a machine that loses power may lose the last
// seconds. Close it.
type auditLog struct {
	path string
	mu   sync.Mutex // guards what follows
	file *os.File   // nil when closed
	// torn says that the file's last line may be incomplete.
	torn bool
}

var errAuditClosed = errors.New("the audit log is closed")

// openAudit opens the file, or makes one that only its owner can read.
func openAudit(path string) (*auditLog, error) {
	a := &auditLog{path: path}
	if err := a.open(); err != nil {
		return nil, err
	}
	return a, nil
}

// open goes on in the file that has the name now. If that cannot be opened the old one is kept.
func (a *auditLog) open() error {
	file, err := openToAppend(a.path)
	if err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	torn, err := endsWithin(file)
	if err != nil {
		return errors.Join(fmt.Errorf("look at the audit log: %w", err), file.Close())
	}
	old := a.file
	a.file, a.torn = file, torn
	return closeAudit(old)
}

func openToAppend(path string) (*os.File, error) {
	const how = os.O_RDWR | os.O_CREATE | os.O_APPEND
	file, err := os.OpenFile(path, how|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's
	if errors.Is(err, fs.ErrExist) {
		return os.OpenFile(path, how, 0o600) //nolint:gosec // as above
	}
	if err != nil {
		return nil, err
	}
	if err := adopt(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// follow opens the file anew if it has been moved away. Looking at a name takes about a microsecond, so it is done for
// every entry: none goes into a file that is about to be compressed.
func (a *auditLog) follow() error {
	mine, err := a.file.Stat()
	if err != nil {
		return fmt.Errorf("look at the audit log: %w", err)
	}
	named, err := os.Stat(a.path)
	if err == nil && os.SameFile(mine, named) {
		return nil
	}
	return a.open()
}

// endsWithin says whether a file's last line has no end, as after a crash or on a full disk.
func endsWithin(file *os.File) (bool, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
		return false, err
	}
	var last [1]byte
	_, err = file.ReadAt(last[:], info.Size()-1)
	return last[0] != '\n', err
}

// Write appends an entry.
func (a *auditLog) Write(e auditEntry) error {
	e.Time = e.Time.UTC()
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	line = append(line, '\n')
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		return errAuditClosed
	}
	// An entry in the old file is better than none.
	return errors.Join(a.follow(), a.append(line))
}

// append writes a line in one piece, so that those of several processes do not mix.
func (a *auditLog) append(line []byte) error {
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.file.Write(line)
	if n > 0 {
		a.torn = n < len(line)
	}
	if err != nil {
		return fmt.Errorf("write to the audit log: %w", err)
	}
	return nil
}

// Close writes everything to the disk. It may be called again.
func (a *auditLog) Close() error {
	a.mu.Lock()
	old := a.file
	a.file = nil
	a.mu.Unlock()
	return closeAudit(old)
}

func closeAudit(file *os.File) error {
	if file == nil {
		return nil
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("close the audit log: %w", err)
	}
	return nil
}

// auditedEvents hands events on and writes the changes of faces to the audit log as well: which faces a request has
// enrolled or deleted is known here only.
type auditedEvents struct {
	service.Events
	audit *auditLog
	now   func() time.Time
	log   *slog.Logger
}

// FacesEnrolled writes which faces were enrolled.
func (e auditedEvents) FacesEnrolled(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesEnrolled(ctx, c, ids)
	e.write(ctx, c, auditEntry{Operation: "FacesEnrolled", Enrolled: faceIDs(ids)})
}

// FacesDeleted writes which faces were deleted.
func (e auditedEvents) FacesDeleted(ctx context.Context, c service.CollectionID, ids []face.ID) {
	e.Events.FacesDeleted(ctx, c, ids)
	e.write(ctx, c, auditEntry{Operation: "FacesDeleted", Deleted: faceIDs(ids)})
}

func (e auditedEvents) write(ctx context.Context, c service.CollectionID, entry auditEntry) {
	by := service.OriginOf(ctx)
	entry.Request, entry.Key, entry.Name, entry.Address = by.Request, by.Caller.Key, by.Caller.Name, by.Address
	entry.Time, entry.Resources, entry.Outcome = e.now(), []string{"collection/" + string(c)}, "OK"
	if err := e.audit.Write(entry); err != nil {
		e.log.LogAttrs(ctx, slog.LevelError, "audit log fails", slog.Any("error", err),
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
