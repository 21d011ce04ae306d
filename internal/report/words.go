package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spotter-video/spotter/internal/face"
)

// clock is a time as a player shows it, to the tenth of a second: 0:03.2, 1:02:03.0.
func clock(d time.Duration) string {
	tenths := d.Round(100*time.Millisecond).Milliseconds() / 100
	sign := ""
	if tenths < 0 {
		sign, tenths = "-", -tenths
	}
	h, m, s, t := tenths/36000, tenths/600%60, tenths/10%60, tenths%10
	if h > 0 {
		return fmt.Sprintf("%s%d:%02d:%02d.%d", sign, h, m, s, t)
	}
	return fmt.Sprintf("%s%d:%02d.%d", sign, m, s, t)
}

// stamp is a time to the millisecond, as editing programs take it: 00:01:23.400.
func stamp(d time.Duration) string {
	ms := d.Round(time.Millisecond).Milliseconds()
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return fmt.Sprintf("%s%02d:%02d:%02d.%03d", sign, ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}

// span is an interval in the words of clock; one time where both ends read the same.
func span(i Interval, dash string) string {
	start, end := clock(i.Start), clock(i.End)
	if start == end {
		return start
	}
	return start + dash + end
}

// lasting is how long something takes, as one says it: 3.4 s, 12 min 5 s, 2 h 3 min.
func lasting(d time.Duration) string {
	tenths := d.Round(100*time.Millisecond).Milliseconds() / 100
	if tenths < 600 {
		return fmt.Sprintf("%d.%d s", tenths/10, tenths%10)
	}
	if s := int(d.Round(time.Second).Seconds()); s < 3600 {
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	m := int(d.Round(time.Minute).Minutes())
	return fmt.Sprintf("%s h %d min", grouped(m/60), m%60)
}

// seenIn says how long somebody is seen, and in how many places.
func seenIn(seen time.Duration, places int) string {
	return fmt.Sprintf("seen for %s in %s", lasting(seen), count(places, "place", "places"))
}

// strangerName is what a person reads for a stranger.
func strangerName(number int) string { return fmt.Sprintf("Stranger %d", number) }

// percent is a similarity with one decimal. It is cut, not rounded, so that only 100 reads 100.0 and what is below a
// threshold never reads as the threshold.
func percent(s face.Similarity) string {
	const slack = 1e-4 // float32 cannot hold most decimals: 80.1 is 80.0999985
	return fmt.Sprintf("%.1f", math.Floor((float64(s)+slack)*10)/10)
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// grouped is a number with a comma between groups of three digits.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plain neutralises text that others chose: control characters (a terminal would obey them), line and paragraph
// separators, and the invisible characters that change the direction of the text around them become U+FFFD, as do
// bytes that are not UTF-8. Joiners stay: names in many scripts need them.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029',
			r == '\u061c', r == '\u200e', r == '\u200f',
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return unicode.ReplacementChar
		default:
			return r
		}
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}

// facts are a video's properties in a few words, those that are known.
func facts(v *face.VideoInfo, times string) []string {
	var out []string
	if v.Duration > 0 {
		out = append(out, clock(v.Duration))
	}
	if v.Width > 0 && v.Height > 0 {
		out = append(out, fmt.Sprintf("%d%s%d", v.Width, times, v.Height))
	}
	if v.FrameRate > 0 {
		out = append(out, fmt.Sprintf("%.4g fps", v.FrameRate))
	}
	if v.Codec != "" {
		out = append(out, plain(v.Codec))
	}
	return out
}
