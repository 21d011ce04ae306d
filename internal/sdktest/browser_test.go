package sdktest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/chromedp/chromedp"
	"github.com/evanw/esbuild/pkg/api"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// page is what a web page gives its functions to find a server with.
type page struct {
	Endpoint    string         `json:"endpoint"`
	Credentials map[string]any `json:"credentials"`
	Collection  string         `json:"collection"`
	Photo       string         `json:"photo,omitempty"`
}

// told is what a page got to know of an error.
type told struct {
	Name, Message, ID string
	Status            int
	Modelled          bool
}

// TestWebPages has pages use the API in Chromium with AWS's SDK: those of an allowed origin can, those of another cannot, whether or
// not requests are signed.
func TestWebPages(t *testing.T) {
	t.Parallel()
	w := here(t)
	site := website(t)
	// The same machine under two names is two origins.
	ours, theirs := site, strings.Replace(site, "127.0.0.1", "localhost", 1)
	for name, with := range map[string]settings{
		"signed":   {"allowed-origins": []string{"https://app.example.org", ours}},
		"unsigned": {"allowed-origins": ours, "unsigned": true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.own(t, "web-pages-"+name, with)
			c := s.client(t)
			id := collection(t, c)
			enrol(t, c, id, anna, "anna")
			of := s.page(t, *id)

			ctx := browse(t)
			visit(ctx, t, ours)
			var used struct {
				Collections, People []string
				Missing             told
			}
			call(ctx, t, "use", of, &used)
			if !slices.Contains(used.Collections, *id) || !slices.Equal(used.People, []string{"anna"}) {
				t.Errorf("a page of an allowed origin got %+v", used)
			}
			if m := used.Missing; !m.Modelled || m.Status != http.StatusBadRequest || len(m.ID) != 36 ||
				m.Message != "Collection:none not found!" {
				t.Errorf("a page of an allowed origin was told %+v", m)
			}

			visit(ctx, t, theirs)
			of.Collection = "theirs"
			var refused told
			call(ctx, t, "create", of, &refused)
			if refused.Name == "" || refused.Status != 0 || refused.ID != "" {
				t.Errorf("a page of another origin was told %+v", refused)
			}
			for _, collection := range ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))(t).CollectionIds {
				if collection == of.Collection {
					t.Error("a page of another origin has made a collection")
				}
			}
			// A form can be sent to anybody, and its answer not read: nothing may come of it.
			var sent string
			eval(ctx, t, fmt.Sprintf(`fetch(%q, {method: "POST", body: "{}"}).then(r => "read", e => "not read")`, s.url), &sent)
			if sent != "not read" {
				t.Errorf("the answer to a form was %s", sent)
			}
		})
	}
}

// page is what a page needs to use the server as its administrator.
func (s *server) page(t *testing.T, collection string) page {
	t.Helper()
	keys := ok(s.credentials(t.Context()))(t)
	photo := ok(os.ReadFile(s.world.path(anna)))(t)
	return page{
		Endpoint: s.url, Collection: collection, Photo: base64.StdEncoding.EncodeToString(photo),
		Credentials: map[string]any{"accessKeyId": keys.AccessKeyID, "secretAccessKey": keys.SecretAccessKey},
	}
}

// website serves a page with AWS's SDK in it, and says where.
func website(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join("js", "node_modules", "@aws-sdk", "client-rekognition")); err != nil {
		missing(t, "AWS's SDK for JavaScript")
	}
	bundle := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join("js", "browser.mjs")}, Bundle: true, Platform: api.PlatformBrowser, Format: api.FormatIIFE,
		LogLevel: api.LogLevelSilent,
	})
	if len(bundle.Errors) > 0 || len(bundle.OutputFiles) != 1 {
		t.Fatalf("bundle the page: %+v", bundle.Errors)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/bundle.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(bundle.OutputFiles[0].Contents)
	})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>page</title><script src="/bundle.js"></script><p id="ready">`))
	})
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	return site.URL
}

// browse starts a headless Chromium for one test.
func browse(t *testing.T) context.Context {
	t.Helper()
	path := installed(t, "Chromium", func(string) bool { return true }, "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WSURLReadTimeout(time.Hour)) // what follows ends first
	ctx, cancel := patience.Usual().Context(t.Context())
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

func visit(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("#ready"))); err != nil {
		t.Fatal(err)
	}
}

// call calls a function of the page.
func call(ctx context.Context, t *testing.T, function string, with page, result any) {
	t.Helper()
	argument := ok(json.Marshal(with))(t)
	eval(ctx, t, fmt.Sprintf("%s(%s)", function, argument), result)
}

// eval waits for what a promise of the page gives.
func eval(ctx context.Context, t *testing.T, expression string, result any) {
	t.Helper()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression+".then(JSON.stringify)", chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), result); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
