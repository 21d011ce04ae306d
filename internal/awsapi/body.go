package awsapi

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"strings"
)

const (
	// defaultMaxBody holds an image of 5 MB, AWS's limit for one sent inline, in base64 (6.99 MB) with what is said about
	// it; an image that is a little too large is thus still told so by name.
	defaultMaxBody = 8<<20 + 64<<10
	// firstRead is what a body gets at first. Nearly all requests without an image are smaller.
	firstRead = 16 << 10
)

// readBody reads the whole body, of which there may be at most that many bytes. The bill is for the caller
// to pay, also after an error.
func readBody(r *http.Request, most int64, b *bill) ([]byte, error) {
	if r.ContentLength > most {
		return nil, tooLarge(most)
	}
	body, err := readAll(io.LimitReader(r.Body, most+1), r.ContentLength, b.upTo)
	switch {
	case int64(len(body)) > most:
		return nil, tooLarge(most)
	case errors.Is(err, errNoMemory):
		return nil, throttled()
	case err != nil:
		return nil, unreadable(err)
	}
	return body, nil
}

// unreadable says what kept a body from being read; nil if nothing did.
func unreadable(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return frontEnd("SerializationException", http.StatusBadRequest,
			"The request body ended before it was as long as its Content-Length says")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return frontEnd("RequestTimeoutException", http.StatusRequestTimeout, "The request body came too slowly")
	default:
		return frontEnd("SerializationException", http.StatusBadRequest, "The request body cannot be read: %v", err)
	}
}

// errNoMemory says that there is no memory for a body at the moment.
var errNoMemory = errors.New("too many large requests at once")

// growth is how many times as much memory as has arrived a body gets, until it has what it claims to need.
const growth = 4

// readAll is [io.ReadAll] that knows what length to expect, or -1 if none, and so copies little and yet reserves no more than
// a few times of what has come, however much is claimed. May it have that many bytes, says may.
func readAll(r io.Reader, length int64, may func(int64) bool) ([]byte, error) {
	if length < 0 {
		length = math.MaxInt64 - 1
	}
	b := make([]byte, 0, min(length+1, firstRead)) // the one byte more finds the end
	for {
		if len(b) == cap(b) {
			size := growth * int64(cap(b))
			if length >= int64(cap(b)) {
				size = min(size, length+1)
			}
			if !may(size) {
				return nil, errNoMemory
			}
			b = append(make([]byte, 0, size), b...)
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

func tooLarge(most int64) *failure {
	return frontEnd("RequestEntityTooLargeException", http.StatusRequestEntityTooLarge,
		"The request body is larger than %d bytes. Put a larger image into a bucket and name it as an S3Object", most)
}

// checkPlace says whether a request is one for the API at all.
func (d *Door) checkPlace(r *http.Request) error {
	if !d.isHere(r.URL.Path) {
		return frontEnd("UnknownOperationException", http.StatusNotFound, "There is nothing at %q: the API is at %q",
			fmt.Sprintf("%.100s", r.URL.Path), d.cfg.BasePath+"/")
	}
	if r.Method != http.MethodPost {
		return frontEnd("UnknownOperationException", http.StatusMethodNotAllowed, "The API takes POST only")
	}
	return nil
}

// isHere says whether a path is the API's. Endpoint URLs that end with slashes make clients send paths with several.
func (d *Door) isHere(path string) bool {
	path = strings.TrimRight(slashes.ReplaceAllString(path, "/"), "/")
	return path == "" || path == d.cfg.BasePath
}

var slashes = regexp.MustCompile(`//+`)
