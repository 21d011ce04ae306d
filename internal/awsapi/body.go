package awsapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	// defaultMaxBody holds an image of 5 MB, AWS's limit for one sent inline, in base64 (6.99 MB) with what is said about
	// it; an image that is a little too large is thus still told so by name.
	defaultMaxBody = 8<<20 + 64<<10
	// firstRead must have arrived before a body gets the memory that it claims to need. Nearly all requests without an image
	// are smaller.
	firstRead = 16 << 10
)

// readBody reads the whole body, of which there may be at most that many bytes.
func readBody(r *http.Request, most int64) ([]byte, error) {
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	body, err := readAll(io.LimitReader(r.Body, most+1), r.ContentLength)
	switch {
	case int64(len(body)) > most:
		return nil, tooLarge(most)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, frontEnd("SerializationException", http.StatusBadRequest,
			"The request body ended before it was as long as its Content-Length says")
	case err != nil:
		return nil, frontEnd("SerializationException", http.StatusBadRequest, "The request body cannot be read: %v", err)
	}
	return body, nil
}

// readAll is [io.ReadAll] that knows what length to expect, or -1 if none, and so neither grows step by step nor reserves
// much for who only claims to send much.
func readAll(r io.Reader, length int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(max(length, 0), firstRead)) + bytes.MinRead)
	n, err := io.CopyN(&b, r, firstRead)
	switch {
	case errors.Is(err, io.EOF):
		return b.Bytes(), nil
	case err != nil:
		return nil, err
	}
	b.Grow(int(max(length-n, 0)) + bytes.MinRead)
	_, err = b.ReadFrom(r)
	return b.Bytes(), err
}

func tooLarge(most int64) *failure {
	return frontEnd("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
		"The request body is larger than %d bytes. Put a larger image into a bucket and name it as an S3Object", most)
}

// drain reads on where an answer comes before the whole of the request: many clients only read it once they have sent all,
// and would be told of a broken connection instead.
func drain(r *http.Request, most int64) {
	if _, err := io.CopyN(io.Discard, r.Body, most); err != nil {
		return // all of it has been read, or there is nobody to answer
	}
}

// checkPlace says whether a request is one for the API at all.
func checkPlace(r *http.Request) error {
	if r.URL.Path != "/" {
		return frontEnd("UnknownOperationException", http.StatusNotFound, "There is nothing at %q: the API is at \"/\"",
			fmt.Sprintf("%.100s", r.URL.Path))
	}
	if r.Method != http.MethodPost {
		return frontEnd("UnknownOperationException", http.StatusMethodNotAllowed, "The API takes POST only")
	}
	return nil
}
