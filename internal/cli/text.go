package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// printable makes text safe for a terminal: file names come from strangers and may hold escape sequences.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// columns is how many columns of a terminal a printable text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0 // drawn over the letter before it
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// shorten cuts a text to at most n columns, taking out of its middle: both ends of a file name say something.
func shorten(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	if n < 1 {
		return ""
	}
	runes := []rune(s)
	head, tail, left := 0, len(runes), n-1 // one column for the ellipsis
	for turn := 0; head < tail; turn++ {
		at := head
		if turn%2 == 1 {
			at = tail - 1
		}
		w := runeColumns(runes[at])
		if w > left {
			break
		}
		left -= w
		if turn%2 == 1 {
			tail--
		} else {
			head++
		}
	}
	return string(runes[:head]) + "…" + string(runes[tail:])
}

// clock writes a time as a player does: 0:07, 12:34, 1:02:03.
func clock(d time.Duration) string {
	s := int64(max(d, 0).Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// times writes a speed as a multiple of the video's own: 0.4x, 12.3x, 140x.
func times(factor float64) string {
	if factor >= 99.5 {
		return fmt.Sprintf("%.0fx", factor)
	}
	return fmt.Sprintf("%.1fx", factor)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
