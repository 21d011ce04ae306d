package report

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

const (
	bar    = chromedp.CSS("#video-1 rect.bar")
	status = chromedp.CSS("#status.shown")
)

// TestPageInABrowser opens the page as a colleague does, from a file, in a real browser: its own policy lets its style
// and script run, a click on a bar or on a time copies it and says so, and nothing is asked of the network.
func TestPageInABrowser(t *testing.T) {
	ctx, seen := browser(t)
	run := office(t)
	run.Videos = append(run.Videos, hostile(t).Videos...)
	run.Gallery.Person[id(1)] = `<script>document.title="owned"</script>`

	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(file(t, render(t, run))))
	title := get(ctx, t, chromedp.Title())
	background := get(ctx, t, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
	lanes := get(ctx, t, chromedp.Evaluate[int](`document.querySelectorAll("article").length`))
	overflow := get(ctx, t, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))

	do(ctx, t, chromedp.Click(bar), chromedp.WaitVisible(status), chromedp.WaitReady(bar+".copied"))
	first := get(ctx, t, chromedp.TextContent(status))

	// By keyboard, and without the clipboard API, as on a page that the browser does not trust.
	do(ctx, t, chromedp.WaitNotPresent(chromedp.CSS(".copied")),
		chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, "clipboard", {value: undefined});
			addEventListener("copy", () => { document.documentElement.dataset.copied = document.activeElement.value })`),
		chromedp.Focus(chromedp.CSS(`#video-1 article:nth-of-type(2) .times li:nth-child(2) button`)),
		chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS("button.copied")))
	second := get(ctx, t, chromedp.TextContent(status))
	active := get(ctx, t, chromedp.Evaluate[string](`document.activeElement.dataset.time`))
	copied := get(ctx, t, chromedp.Evaluate[string](`document.documentElement.dataset.copied`))
	if title != "Faces found in 14 videos" {
		t.Errorf("title %q", title)
	}
	if background == "rgba(0, 0, 0, 0)" || background == "rgb(255, 255, 255)" {
		t.Errorf("background %s: the style does not apply", background)
	}
	if first != "Copied 00:00:03.200" {
		t.Errorf("after a click on a bar the page says %q", first)
	}
	if second != "Copied 00:01:01.000" || copied != "00:01:01.000" {
		t.Errorf("after a press on a time the page says %q and copied %q", second, copied)
	}
	if active != "00:01:01.000" {
		t.Errorf("the focus moved to %q", active)
	}
	if lanes == 0 || overflow > 0 {
		t.Errorf("%d lanes, %d pixels wider than the window", lanes, overflow)
	}
	seen.check(t)
}

// TestPageByPersonInABrowser follows a time to the video, as a colleague does, and looks for a name among many.
func TestPageByPersonInABrowser(t *testing.T) {
	ctx, seen := browser(t)
	run := archive(t)
	run.Folder = filepath.Join(t.TempDir(), "50 % of #1?")
	videos := filepath.Join(run.Folder, `javascript:alert("1") #?%`)
	for i := range run.Videos {
		run.Videos[i].Path = filepath.Join(videos, run.Videos[i].Name)
	}
	page := filepath.Join(run.Folder, "faces.html")
	if err := errors.Join(os.Mkdir(run.Folder, 0o700), os.WriteFile(page, []byte(render(t, run)), 0o600)); err != nil {
		t.Fatal(err)
	}
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate((&url.URL{Scheme: "file", Path: page}).String()))
	shown := func() []string {
		return get(ctx, t, chromedp.Evaluate[[]string](`[...document.querySelectorAll("h2, h3, .contents a")]
			.filter(e => e.checkVisibility()).map(e => e.textContent)`))
	}
	anna := []string{"Anna", "a/party.mp4", "c/party.mp4", "b/street #1.mp4", "broken.mov"}
	hanako := []string{"山田花子", "b/street #1.mp4", "b/half.mkv"}
	for _, step := range []struct {
		text string
		want []string
		says string
	}{
		{"", slices.Concat([]string{"Anna", "山田花子"}, anna, hanako), ""},
		{" ANNA", slices.Concat([]string{"Anna"}, anna), "1 of 2 people"},
		{"street", []string{"Anna", "山田花子", "Anna", "b/street #1.mp4", "山田花子", "b/street #1.mp4"}, "2 of 2 people"},
		{"nowhere", []string{}, "0 of 2 people"},
		{"", slices.Concat([]string{"Anna", "山田花子"}, anna, hanako), ""},
	} {
		do(ctx, t, chromedp.Evaluate[chromedp.Void](`(() => { const field = document.querySelector(".find input");
			field.value = "`+step.text+`"; field.dispatchEvent(new Event("input")); })()`))
		if got := shown(); !slices.Equal(got, step.want) {
			t.Errorf("with %q in the field the page shows %q, want %q", step.text, got, step.want)
		}
		if says := get(ctx, t, chromedp.TextContent(chromedp.CSS(".find span"))); says != step.says {
			t.Errorf("with %q in the field the page says %q, want %q", step.text, says, step.says)
		}
	}
	got := get(ctx, t, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#person-1 .times a")]
		.map(a => a.protocol + decodeURIComponent(a.pathname) + a.hash)`))
	var want []string
	for _, at := range []string{"a/party.mp4#t=0", "c/party.mp4#t=3.2", "b/street #1.mp4#t=1", "b/street #1.mp4#t=80.2", "broken.mov#t=1"} {
		want = append(want, "file:"+filepath.Join(videos, at))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the times lead to %q, want %q", got, want)
	}
	do(ctx, t, chromedp.Click(chromedp.CSS("#person-1 rect.bar")), chromedp.WaitVisible(status))
	if says := get(ctx, t, chromedp.TextContent(status)); says != "Copied 00:00:00.000" {
		t.Errorf("after a click on a bar the page says %q", says)
	}
	seen.check(t)
}

// TestPageByPersonWithoutScript is read by who allows none: everything is there but the field, which would do nothing.
func TestPageByPersonWithoutScript(t *testing.T) {
	ctx, seen := browser(t)
	text := render(t, archive(t))
	text = text[:strings.Index(text, "<script>")] + "</body></html>"
	do(ctx, t, chromedp.Navigate(file(t, text)))
	visible := get(ctx, t, chromedp.Evaluate[[]int](`[".find", ".contents", ".person", ".person .times a", ".rest"]
		.map(s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility()).length)`))
	if want := []int{0, 1, 2, 7, 1}; !slices.Equal(visible, want) {
		t.Errorf("%d are visible, want %d", visible, want)
	}
	seen.check(t)
}

// TestPageSaysWhenItCannotCopy takes both ways of copying from the page.
func TestPageSaysWhenItCannotCopy(t *testing.T) {
	ctx, seen := browser(t)
	do(ctx, t, chromedp.Navigate(file(t, render(t, office(t)))),
		chromedp.Evaluate[chromedp.Void](`Object.defineProperty(navigator, "clipboard", {value: undefined});
			document.execCommand = () => false`),
		chromedp.Click(chromedp.CSS("#video-1 .times button")), chromedp.WaitVisible(status))
	says := get(ctx, t, chromedp.TextContent(status))
	selected := get(ctx, t, chromedp.Evaluate[string](`getSelection().toString()`))
	if says != "Press Ctrl+C to copy 00:00:03.200" || selected != "00:00:03.200" {
		t.Errorf("the page says %q with %q selected", says, selected)
	}
	seen.check(t)
}

// TestPageFitsEveryWindow looks for anything that sticks out, in narrow and wide windows, with long names.
func TestPageFitsEveryWindow(t *testing.T) {
	ctx, seen := browser(t)
	run := office(t)
	run.Videos[0].Name = strings.Repeat("press-conference_", 20) + ".mp4"
	run.Gallery.Person[id(1)] = strings.Repeat("Rindfleischetikettierung", 8)
	run.Gallery.Person[id(2)] = strings.Repeat("=", 200) // in one line of the list of those whom a face resembles
	run.Videos[0].Warnings = []string{strings.Repeat("x", 300)}
	people := archive(t)
	people.Gallery.Person, people.Notes = run.Gallery.Person, []string{strings.Repeat("n", 300)}
	people.Videos[1].Name, people.Videos[6].Name = run.Videos[0].Name, run.Videos[0].Name
	many := large(t, 101, 3, 3)
	many.Gallery.Person, many.Videos[1].Name = run.Gallery.Person, run.Videos[0].Name
	for what, run := range map[string]*Run{"by clip": run, "by person": people, "of many": many} {
		url := file(t, render(t, run))
		for _, width := range []int64{320, 560, 861, 1920} {
			do(ctx, t, chromedp.EmulateViewport(width, 800), chromedp.Navigate(url))
			overflow := get(ctx, t, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
			if overflow > 0 {
				t.Errorf("at %d pixels the page %s is %d pixels too wide", width, what, overflow)
			}
			spilt := get(ctx, t, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".contents *, .who *, .note, .absent, .times a")]
				.filter(e => e.scrollWidth > e.clientWidth && e.clientWidth > 0).map(e => e.outerHTML.slice(0, 100))`))
			if len(spilt) > 0 {
				t.Errorf("at %d pixels, text leaves its place %s in %q", width, what, spilt)
			}
		}
	}
	seen.check(t)
}

// witness is what a browser did that a page must not make it do.
type witness struct {
	mutex    sync.Mutex
	requests []string
	errors   []string
}

func (w *witness) check(t *testing.T) {
	t.Helper()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, url := range w.requests {
		if !strings.HasPrefix(url, "file:") && !strings.HasPrefix(url, "data:") {
			t.Errorf("the page asked for %s", url)
		}
	}
	if len(w.requests) == 0 {
		t.Error("no request was seen, not even the page's own")
	}
	for _, e := range w.errors {
		t.Errorf("the browser reports: %s", e)
	}
}

// browser starts a headless Chromium for one test; without one the test is skipped.
func browser(t *testing.T) (context.Context, *witness) {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(time.Hour)) // what follows ends first
	ctx, cancel := patience.Usual().Context(t.Context())
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	seen := &witness{}
	err := chromedp.Listen(ctx, func(event any) {
		seen.mutex.Lock()
		defer seen.mutex.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			seen.requests = append(seen.requests, e.Request.URL)
		case *runtime.EventExceptionThrown:
			seen.errors = append(seen.errors, e.ExceptionDetails.Text)
		case *log.EventEntryAdded: // what the policy refuses, among others
			seen.errors = append(seen.errors, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx, seen
}

func do(ctx context.Context, t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func get[T any](ctx context.Context, t *testing.T, a chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// file saves a page and returns its address.
func file(t *testing.T, page string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "faces.html")
	if err := os.WriteFile(path, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}
