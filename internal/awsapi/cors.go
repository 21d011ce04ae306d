package awsapi

import (
	"net/http"
	"slices"

	"github.com/rs/cors"
)

// preflightAge is for how many seconds a browser need not ask again: two hours, the most that Chromium takes.
const preflightAge = 7200

// newCORS lets pages of these origins use the API in browsers; nil for none.
//
// The headers are those that AWS's SDK for JavaScript sends from a browser, and those that AWS lets pages read. A page on the
// public network that asks a server on a private one is let through where its origin is named; where every origin is, no.
func newCORS(origins []string) *cors.Cors {
	if len(origins) == 0 {
		return nil
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodPost, http.MethodGet},
		AllowedHeaders: []string{
			"authorization", "content-type", "x-amz-date", "x-amz-target", "x-amz-security-token", "x-amz-content-sha256",
			"x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request",
		},
		ExposedHeaders:      []string{"x-amzn-requestid", "x-amzn-errortype", "x-amzn-errormessage", "date"},
		MaxAge:              preflightAge,
		AllowPrivateNetwork: !slices.Contains(origins, "*"),
	})
}

// preflight answers a browser that asks what a page may do, and notes with other requests which pages may read the answer,
// whatever that becomes. It says whether the request has been answered.
func (d *Door) preflight(w http.ResponseWriter, r *http.Request) bool {
	if d.cors == nil {
		return false
	}
	d.cors.HandlerFunc(w, r)
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}
