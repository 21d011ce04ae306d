package report

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

func TestTimesInWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		d            time.Duration
		clock, stamp string
	}{
		{0, "0:00.0", "00:00:00.000"},
		{ms(3249), "0:03.2", "00:00:03.249"},
		{ms(59_950), "1:00.0", "00:00:59.950"},
		{83_400 * time.Millisecond, "1:23.4", "00:01:23.400"},
		{time.Hour + 2*time.Minute + 3*time.Second, "1:02:03.0", "01:02:03.000"},
		{123 * time.Hour, "123:00:00.0", "123:00:00.000"},
		{-ms(1500), "-0:01.5", "-00:00:01.500"},
		{999_600 * time.Nanosecond, "0:00.0", "00:00:00.001"},
	} {
		if got := clock(tc.d); got != tc.clock {
			t.Errorf("clock(%v) = %s, want %s", tc.d, got, tc.clock)
		}
		if got := stamp(tc.d); got != tc.stamp {
			t.Errorf("stamp(%v) = %s, want %s", tc.d, got, tc.stamp)
		}
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0.0 s", ms(3449): "3.4 s", ms(59_949): "59.9 s", ms(59_950): "1 min 0 s", ms(754_600): "12 min 35 s",
		ms(3_599_499): "59 min 59 s", ms(3_599_500): "1 h 0 min", 2*time.Hour + 3*time.Minute + 29*time.Second: "2 h 3 min",
		1234*time.Hour + 59*time.Minute + 30*time.Second: "1,235 h 0 min",
	} {
		if got := lasting(d); got != want {
			t.Errorf("lasting(%v) = %s, want %s", d, got, want)
		}
	}
}

func TestPercentNeverFlatters(t *testing.T) {
	t.Parallel()
	for s, want := range map[face.Similarity]string{
		100: "100.0", 99.97: "99.9", 79.99: "79.9", 80: "80.0", 80.1: "80.1", 98.44: "98.4", 0: "0.0",
	} {
		if got := percent(s); got != want {
			t.Errorf("percent(%v) = %s, want %s", s, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Anna Müller":            "Anna Müller",
		"\x1b[31mred\x07":        "�[31mred�",
		"two\nlines\r\t":         "two�lines��",
		"\u202eevil\u2066":       "�evil�",
		"bad \xff\xfe utf-8":     "bad � utf-8",
		"c1 \u009b31m":           "c1 �31m",
		"👩\u200d🔬 می\u200cخواهم": "👩\u200d🔬 می\u200cخواهم",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFitIsExact(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		s    string
		n    int
		want string
	}{
		{"Anna", 6, "Anna  "},
		{"Anna", 4, "Anna"},
		{"Annabel", 4, "Ann…"},
		{"山田花子", 8, "山田花子"},
		{"山田花子", 6, "山田… "},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
	} {
		if got := fit(tc.s, tc.n); got != tc.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tc.s, tc.n, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s, n := rapid.String().Draw(t, "s"), rapid.IntRange(1, 40).Draw(t, "n")
		if got := fit(plain(s), n); columns(got) != n || !utf8.ValidString(got) {
			t.Fatalf("fit(%q, %d) = %q with %d columns", s, n, got, columns(got))
		}
	})
}

func TestWrapKeepsEveryItem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOf(rapid.StringMatching(`[a-z]{1,12}`)).Draw(t, "items")
		n := rapid.IntRange(1, 30).Draw(t, "n")
		lines := wrap(items, n)
		if got, want := strings.Join(lines, " "), strings.Join(items, ", "); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
		for _, line := range lines {
			if columns(line) > n && strings.Contains(line, " ") {
				t.Fatalf("line %q is longer than %d", line, n)
			}
		}
	})
}
