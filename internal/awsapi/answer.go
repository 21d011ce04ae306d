package awsapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/spotter-video/spotter/internal/awsapi/internal/sts"
)

// encode makes what an operation returned the answer.
func (d *Door) encode(x *exchange, out any) error {
	x.code, x.status, x.body = "OK", http.StatusOK, []byte("{}")
	if out == nil {
		return nil
	}
	var body []byte
	var err error
	if given, ok := out.(*given); ok {
		body, err = sts.Encode(given.action, x.id, given.answer)
	} else {
		body, err = json.Marshal(out)
	}
	if err != nil {
		return internal(fmt.Errorf("encode the answer: %w", err))
	}
	x.body = body
	return nil
}

// fail makes an error the answer. Its whole text goes to the log, under the number that the caller has, where it is not
// the caller's doing.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, x *exchange, err error) {
	f, code := asFailure(r.Context(), err)
	encode := f.body
	if x.form {
		encode = asQueryError(f).Encode
	}
	body, err := encode(x.id)
	if err != nil { // of strings only, so it cannot be
		body = []byte("{}")
	}
	x.code, x.status, x.body = code, f.status, body
	attrs := []slog.Attr{
		slog.String("request_id", x.id), slog.String("operation", x.operation), slog.String("code", code),
		slog.String("source", sourceOf(r)),
	}
	switch {
	case f.cause != nil:
		attrs = append(attrs, slog.Any("error", f.cause))
		d.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "request failed", attrs...)
	case x.entry == nil:
		attrs = append(attrs, slog.String("reason", f.message))
		d.cfg.Refusals.LogAttrs(r.Context(), slog.LevelInfo, "request refused", attrs...)
	}
	d.intake.drain(w, r, d.cfg.Sender(sourceOf(r)), d.cfg.MaxBody)
}

// tell reports the request to who wants to know.
func (d *Door) tell(x *exchange) {
	if d.cfg.Observe != nil {
		d.cfg.Observe(x.operation, x.code, d.cfg.Now().Sub(x.begun))
	}
	if x.audit != nil && x.entry != nil {
		x.entry.Code = x.code
		x.audit(*x.entry)
	}
}

// write sends the answer. It is never compressed, whatever the caller says to accept: the Python and JavaScript SDKs could
// not read it. The date is that of the clock that signatures are checked against, because SDKs set theirs by it.
func (d *Door) write(w http.ResponseWriter, x *exchange, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.1")
	if x.form {
		h.Set("Content-Type", sts.ContentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Date", d.cfg.Now().UTC().Format(http.TimeFormat))
	h.Set("X-Amzn-Requestid", x.id)
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", "GET, POST")
	}
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return // the caller has left; there is nobody to tell
	}
}
