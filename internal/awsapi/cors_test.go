package awsapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
)

// sdkHeaders are what AWS's SDK for JavaScript asks to send from a browser, in the order in which browsers ask.
const sdkHeaders = "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,x-amz-content-sha256,x-amz-date,x-amz-target," +
	"x-amz-user-agent"

func TestPreflights(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.org"
	for name, c := range map[string]struct {
		origins        []string
		origin, method string
		headers        string
		private        bool
		allowed        string // what the answer allows; empty for nothing
	}{
		"a page that may":      {[]string{page}, page, "POST", sdkHeaders, false, page},
		"with a session token": {[]string{page}, page, "POST", "x-amz-security-token," + sdkHeaders, false, ""}, // not sorted: no browser's
		"on a private network": {[]string{page}, page, "POST", sdkHeaders, true, page},
		"every page":           {[]string{"*"}, page, "POST", sdkHeaders, true, "*"},
		"another page":         {[]string{page}, "https://app.example.org.evil.example", "POST", sdkHeaders, false, ""},
		"another scheme":       {[]string{page}, "http://app.example.org", "POST", sdkHeaders, false, ""},
		"another port":         {[]string{page}, page + ":8443", "POST", sdkHeaders, false, ""},
		"nobody's page":        {[]string{page}, "null", "POST", sdkHeaders, false, ""},
		"another header":       {[]string{page}, page, "POST", "x-evil", false, ""},
		"another method":       {[]string{page}, page, "DELETE", "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(cfg *Config) {
				cfg.Origins = c.origins
				cfg.Limits = Limits{PerKey: 1, Overall: 1, InFlight: 1} // none of which a preflight counts for
			})
			headers := []string{
				"Origin", c.origin, "Access-Control-Request-Method", c.method, "Access-Control-Request-Headers", c.headers,
			}
			if c.private {
				headers = append(headers, "Access-Control-Request-Private-Network", "true")
			}
			for range 3 {
				got := b.send(t, "OPTIONS", "/", "", headers...)
				if got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Origin") != c.allowed ||
					!strings.Contains(got.header.Get("Vary"), "Origin") || got.header.Get("Access-Control-Allow-Credentials") != "" {
					t.Fatalf("got %d %v", got.status, got.header)
				}
				if c.allowed != "" && (got.header.Get("Access-Control-Max-Age") != "7200" ||
					got.header.Get("Access-Control-Allow-Headers") != c.headers) {
					t.Errorf("got %v", got.header)
				}
				private := got.header.Get("Access-Control-Allow-Private-Network") == "true"
				if private != (c.private && c.allowed == page) {
					t.Errorf("on a private network: %v", got.header)
				}
			}
		})
	}
}

func TestPagesCanReadAnswersAndErrors(t *testing.T) {
	t.Parallel()
	const page = "https://app.example.org"
	b := newBench(t, func(c *Config) { c.Origins, c.MaxBody = []string{page}, 1000 })
	for name, c := range map[string]struct {
		path, origin, body string
		status             int
	}{
		"unsigned":      {"/", page, "{}", http.StatusBadRequest},
		"nothing there": {"/x", page, "{}", http.StatusNotFound},
		"a stranger's":  {"/", "https://evil.example", "{}", http.StatusBadRequest},
		"no page":       {"/", "", "{}", http.StatusBadRequest},
	} {
		got := b.send(t, "POST", c.path, c.body, "Origin", c.origin)
		allowed := got.header.Get("Access-Control-Allow-Origin")
		if got.status != c.status || got.header.Get("Vary") != "Origin" || (allowed == page) != (c.origin == page) {
			t.Errorf("%s: got %d %v", name, got.status, got.header)
		}
		exposed := strings.ToLower(got.header.Get("Access-Control-Expose-Headers"))
		if c.origin == page && exposed != "x-amzn-requestid, x-amzn-errortype, x-amzn-errormessage, date" {
			t.Errorf("%s: exposed are %s", name, exposed)
		}
	}
	refusal := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader("{}"))
	r.Header.Set("Origin", page)
	b.door.Refuse(refusal, r, http.StatusMisdirectedRequest, "AccessDeniedException", "not here")
	if refusal.Code != http.StatusMisdirectedRequest || refusal.Header().Get("Access-Control-Allow-Origin") != page ||
		!strings.Contains(refusal.Body.String(), "not here") {
		t.Errorf("what stands before the door refuses with %d %v %s", refusal.Code, refusal.Header(), refusal.Body)
	}
	if got := newBench(t, nil).send(t, "OPTIONS", "/", "", "Origin", page, "Access-Control-Request-Method", "POST"); got.status != 405 {
		t.Errorf("where no page may: %d", got.status)
	}
}

// The endpoint's URL may end with slashes, and have a path where one is set. Go's SDK signs the path as it sends it; what other
// SDKs sign is in the tests of the whole program.
func TestPathsOfEndpoints(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *Config) { c.BasePath = "/rekognition" })
	for _, path := range []string{"", "/", "//", "///", "/rekognition", "/rekognition/", "/rekognition//", "//rekognition/"} {
		_, err := describeWith(t, b.client(func(o *rekognition.Options) { o.BaseEndpoint = aws.String(b.url + path) }))
		if err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	for _, path := range []string{"/rekognition/x", "/rekognitionx", "/x", "/rekognition/../", "/./"} {
		if got := b.send(t, "POST", path, "{}"); got.status != http.StatusNotFound || !strings.Contains(got.body, "/rekognition/") {
			t.Errorf("%q: %d %s", path, got.status, got.body)
		}
	}
}
