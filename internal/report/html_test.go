package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
)

func TestHTML(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]*Run{"office.html": office(t), "archive.html": archive(t)} {
		text := render(t, run)
		// The style and the script stand in files of their own.
		for _, element := range []string{"style", "script"} {
			from, to := strings.Index(text, "<"+element+">")+len(element)+2, strings.Index(text, "</"+element+">")
			text = text[:from] + "..." + text[to:]
		}
		text = regexp.MustCompile(`sha256-[^=]+=`).ReplaceAllString(text, "sha256-...")
		golden(t, name, text)
	}
}

func TestHTMLEscapesEveryName(t *testing.T) {
	t.Parallel()
	for _, by := range []Grouping{ByClip, ByPerson} {
		run := hostile(t)
		run.By = by
		text := render(t, run)
		if n := strings.Count(text, "<script"); n != 1 {
			t.Errorf("%d script elements, want the page's own", n)
		}
		for _, bad := range []string{"<img src=x", "<svg/onload", "\x1b", "\x07", "\u202e", "owned</title>", "ZgotmplZ"} {
			if strings.Contains(text, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
		if strings.Count(text, "</style>") != 1 || strings.Count(text, "</script>") != 1 {
			t.Error("a name closes an element")
		}
		for _, link := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`^(#rest|#(video|person)-\d+|data:(image/jpeg;base64)?,.*|\.{1,2}/.*)$`).MatchString(link[1]) {
				t.Errorf("link to %s", link[1])
			}
		}
	}
}

func TestHTMLAsksNothingOfTheNetwork(t *testing.T) {
	t.Parallel()
	for _, run := range []*Run{office(t), archive(t)} {
		text := render(t, run)
		for _, attribute := range regexp.MustCompile(`(?:src|action|data)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if link := attribute[1]; !strings.HasPrefix(link, "data:") {
				t.Errorf("link to %.80s", link)
			}
		}
		if strings.Contains(text, "url(") || strings.Contains(text, "@import") || strings.Contains(text, "fetch(") {
			t.Error("the style or the script loads something")
		}
	}
	if text := render(t, office(t)); !strings.Contains(text, `content="default-src &#39;none&#39;; img-src data:; style-src &#39;sha256-`) {
		t.Error("the page has no strict content security policy")
	}
}

func TestHTMLEmbedsOnlyJPEG(t *testing.T) {
	t.Parallel()
	run := office(t)
	run.Videos = run.Videos[:1]
	run.Videos[0].Portraits = map[int][]byte{0: []byte("<svg onload=alert(1)>"), 2: portrait(t, 2)}
	text := render(t, run)
	if strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("<svg onload=alert(1)>"))) {
		t.Error("the page embeds what is not a JPEG")
	}
	if !strings.Contains(html.UnescapeString(text), "data:image/jpeg;base64,"+base64.StdEncoding.EncodeToString(portrait(t, 2))) {
		t.Error("the page lacks a portrait")
	}
}

func TestHTMLOfACrowdStaysBounded(t *testing.T) {
	t.Parallel()
	run := &Run{Gallery: gallery(t, "Anna"), SampleRate: 5, Videos: []Video{{Name: "crowd.mp4"}}}
	for i := range 5000 {
		run.Videos[0].Sightings = append(run.Videos[0].Sightings, seen(i, i*200, i*200)...)
	}
	text := render(t, run)
	if n := strings.Count(text, "<article"); n != maxStrangers {
		t.Errorf("%d lanes, want %d", n, maxStrangers)
	}
	if !strings.Contains(text, "and 4,900 more strangers who were seen less") {
		t.Error("the page does not say how many strangers it leaves out")
	}
}

func TestAxis(t *testing.T) {
	t.Parallel()
	for _, seconds := range []int{0, 1, 2, 9, 24, 59, 67, 119, 600, 3599, 3600, 4 * 3600, 24 * 3600, 1000 * 3600} {
		v := &Video{Info: face.VideoInfo{Duration: ms(1000 * seconds)}}
		a := newAxis(v, 5)
		ticks := a.ticks()
		if len(ticks) < 2 || len(ticks) > 9 {
			t.Errorf("%d s: %d ticks", seconds, len(ticks))
		}
		seen := map[string]bool{}
		for _, tick := range ticks {
			if seen[tick.Text] {
				t.Errorf("%d s: two ticks say %s", seconds, tick.Text)
			}
			seen[tick.Text] = true
		}
	}
}

func TestBarsStayOnTheAxis(t *testing.T) {
	t.Parallel()
	a := newAxis(&Video{Info: face.VideoInfo{Duration: ms(3_600_000)}}, 5)
	for _, i := range []Interval{{}, {Start: ms(3_599_999), End: ms(3_599_999)}, {Start: -ms(5), End: ms(100)}, {End: ms(3_600_000)}} {
		var at, width float64
		bar := a.bar(i)
		if _, err := fmt.Sscan(bar.At+" "+bar.Width, &at, &width); err != nil {
			t.Fatal(err)
		}
		if at < 0 || width < 0.25 || at+width > 100.001 {
			t.Errorf("%v: from %v %% for %v %%", i, at, width)
		}
	}
}

func TestHTMLIsDeterministic(t *testing.T) {
	t.Parallel()
	first := render(t, office(t))
	for range 5 {
		if render(t, office(t)) != first {
			t.Fatal("two pages of the same run differ")
		}
	}
}

func render(tb testing.TB, run *Run) string {
	tb.Helper()
	var b bytes.Buffer
	if err := HTML(&b, run); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}
