package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// AuditEntry says who did what, when, and what came of it. There is no place in it for images or embeddings. As JSON it is a line of the
// audit log.
type AuditEntry struct {
	// Serial is its number in a store; 0 in a file.
	Serial Serial    `json:"-"`
	Time   time.Time `json:"time"`
	// Process is what the process is called that has written it.
	Process string `json:"process,omitempty"`
	// Request is the id that the answer carried; Key and Name are those of the access key, Address is where the request
	// came from. Of an operator's command there is the Name only.
	Request string `json:"request_id,omitempty"`
	Key     string `json:"access_key_id,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	// Operation is what was asked for, or what happened to faces: [FacesEnrolled], [FacesDeleted].
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

// What happens to faces, as an operation of the audit log.
const (
	FacesEnrolled = "FacesEnrolled"
	FacesDeleted  = "FacesDeleted"
)

// AuditQuery selects entries. Zero members select everything.
type AuditQuery struct {
	// Since and Until are the first moment, and the first that is too late.
	Since, Until   time.Time
	Key, Operation string
	// Face selects the entries of what happened to a face: its enrolment and its deletion.
	Face string
	// After is the last serial of the page before, exclusive; 0 for the first page.
	After Serial
	// Limit is at least 1.
	Limit int
}

// Selects says whether a query wants an entry, wherever it stands.
func (q *AuditQuery) Selects(e *AuditEntry) bool {
	return !e.Time.Before(q.Since) && (q.Until.IsZero() || e.Time.Before(q.Until)) && (q.Key == "" || q.Key == e.Key) &&
		(q.Operation == "" || q.Operation == e.Operation) &&
		(q.Face == "" || slices.Contains(e.Enrolled, q.Face) || slices.Contains(e.Deleted, q.Face))
}

// Trail is what somebody's doings are written down by, where the audit log is the store's: a store keeps its entry in the transaction that
// makes the first change, so that there is no change without an entry, and none of what did not happen. Safe for concurrent use.
type Trail struct {
	mu    sync.Mutex
	entry AuditEntry
	kept  bool
}

// NewTrail makes a trail of who does what. Its outcome is OK, or else nothing has been changed.
func NewTrail(e AuditEntry) *Trail {
	e.Outcome = "OK"
	return &Trail{entry: e}
}

// About adds what is known only now: what the change is about. A nil trail takes it too.
func (t *Trail) About(resource string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entry.Resources = append(slices.Clip(t.entry.Resources), resource)
}

// Entry is what a transaction has to keep; false if an earlier one has.
func (t *Trail) Entry() (e AuditEntry, due bool) {
	if t == nil {
		return e, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entry, !t.kept
}

// OfFaces is the entry of what has happened to faces of a collection; false where nobody writes it down, or nothing has.
func (t *Trail) OfFaces(operation string, c CollectionID, ids []face.ID) (e AuditEntry, due bool) {
	if t == nil || len(ids) == 0 {
		return e, false
	}
	e, _ = t.Entry()
	return FacesEntry(e, operation, c, ids), true
}

// FacesEntry is the entry of what has happened to faces on behalf of a request, whose entry is e.
func FacesEntry(e AuditEntry, operation string, c CollectionID, ids []face.ID) AuditEntry {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	e.Operation, e.Resources, e.Outcome = operation, []string{"collection/" + string(c)}, "OK"
	if operation == FacesEnrolled {
		e.Enrolled = texts
	} else {
		e.Deleted = texts
	}
	return e
}

// Keep says that a transaction has kept the entry.
func (t *Trail) Keep() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = true
}

// Kept says whether the entry is kept.
func (t *Trail) Kept() bool {
	_, due := t.Entry()
	return t != nil && !due
}

type trailKey struct{}

// WithTrail says of a context by which trail its changes are written down; nil for none.
func WithTrail(ctx context.Context, t *Trail) context.Context {
	return context.WithValue(ctx, trailKey{}, t)
}

// TrailOf is the trail of a context; nil if it has none.
func TrailOf(ctx context.Context) *Trail {
	t, _ := ctx.Value(trailKey{}).(*Trail)
	return t
}
