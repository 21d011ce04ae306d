package audit

import "github.com/spotter-video/spotter/internal/service"

// Entry is what the log has of one request, or of one change of faces.
type Entry = service.AuditEntry
