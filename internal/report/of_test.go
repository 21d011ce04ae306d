package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestOnlyWhoWasFound reports what was found in some of many videos: nothing is said of strangers, nobody is missing in a video, and who
// was found nowhere is named once.
func TestOnlyWhoWasFound(t *testing.T) {
	t.Parallel()
	run := office(t)
	run.Of, run.Videos = 1234, run.Videos[:2]
	var out bytes.Buffer
	if err := Table(&out, run, TableOptions{}); err != nil {
		t.Fatal(err)
	}
	files := grouped(run.files())
	text := out.String()
	if strings.Contains(text, "tranger") || strings.Count(text, "not found:") > 1 || !strings.HasSuffix(text, " found in "+files+" of 1,234 videos\n") ||
		strings.Contains(text, "\n\n\n") {
		t.Errorf("table:\n%s", text)
	}
	page := render(t, run)
	if title := "<title>Faces found in " + files + " of 1,234 videos</title>"; !strings.Contains(page, title) ||
		strings.Count(page, "Not found:") > 1 {
		t.Errorf("the page has not %s, or says more than once who was not found", title)
	}
	run.Videos = nil
	out.Reset()
	if err := Table(&out, run, TableOptions{}); err != nil || !strings.HasSuffix(out.String(), " found in 0 of 1,234 videos\n") ||
		!strings.HasPrefix(out.String(), "not found: ") {
		t.Errorf("%v, table of nothing:\n%s", err, out.String())
	}
	if page := render(t, run); !strings.Contains(page, "Faces found in 0 of 1,234 videos") || !strings.Contains(page, "Not found:") {
		t.Error("the page of nothing says nothing")
	}
}
