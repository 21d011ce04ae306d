package bucket

import (
	"io"
	"net/http"
)

// maxErrorBody is how much of an answer that is no success is read, in bytes. S3's errors are below 1 KB.
const maxErrorBody = 64 << 10

// shortErrors cuts off answers that are no success: the SDK reads them whole into memory, however long they are.
type shortErrors struct{ http.RoundTripper }

// RoundTrip asks.
func (t shortErrors) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil || response.StatusCode < http.StatusMultipleChoices {
		return response, err
	}
	response.Body = cutBody{io.LimitReader(response.Body, maxErrorBody), response.Body}
	return response, nil
}

// CloseIdleConnections is for the client's own.
func (t shortErrors) CloseIdleConnections() {
	if c, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type cutBody struct {
	io.Reader
	io.Closer
}
