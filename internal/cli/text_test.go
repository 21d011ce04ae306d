package cli

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"clip.mp4":               "clip.mp4",
		"Zoë 漢字.mp4":             "Zoë 漢字.mp4",
		"a\x1b[2Jb\x07\r\n\x9bc": "a?[2Jb????c",
		"right\u202eto left":     "right?to left",
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"short.mp4", 9, "short.mp4"},
		{"interview.mp4", 9, "inte….mp4"},
		{"interview.mp4", 1, "…"},
		{"interview.mp4", 0, ""},
		{"漢字漢字漢字", 7, "漢字…字"},
	} {
		if got := shorten(c.in, c.n); got != c.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestShortenFits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := printable(rapid.String().Draw(t, "text"))
		n := rapid.IntRange(0, 50).Draw(t, "columns")
		got := shorten(s, n)
		if columns(got) > n && s != "" {
			t.Fatalf("shorten(%q, %d) = %q takes %d columns", s, n, got, columns(got))
		}
		if columns(s) <= n && got != s {
			t.Fatalf("shorten(%q, %d) = %q although it fits", s, n, got)
		}
		if !utf8.ValidString(got) || strings.Count(got, "…") > strings.Count(s, "…")+1 {
			t.Fatalf("shorten(%q, %d) = %q", s, n, got)
		}
	})
}

func TestClock(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration]string{
		-time.Second: "0:00", 0: "0:00", 7 * time.Second: "0:07", 59600 * time.Millisecond: "1:00",
		754 * time.Second: "12:34", 3723 * time.Second: "1:02:03",
	} {
		if got := clock(in); got != want {
			t.Errorf("clock(%v) = %q, want %q", in, got, want)
		}
	}
}
