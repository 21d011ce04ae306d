package report

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// columns is how many cells of a terminal a string takes: two for wide East Asian characters and emoji, none for marks
// that combine with the character before them.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

func cells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// fit shortens a string to at most n columns, with an ellipsis where something is missing, and pads it to exactly n.
func fit(s string, n int) string {
	if columns(s) <= n {
		return s + strings.Repeat(" ", n-columns(s))
	}
	used := 0
	for i, r := range s {
		if used+cells(r) > n-1 {
			return s[:i] + "…" + strings.Repeat(" ", n-1-used)
		}
		used += cells(r)
	}
	return s
}

// wrap lays items out in lines of at most n columns, separated by commas. A longer item has its own line.
func wrap(items []string, n int) []string {
	var lines []string
	line := ""
	for i, item := range items {
		if i < len(items)-1 {
			item += ","
		}
		switch {
		case line == "":
			line = item
		case columns(line)+1+columns(item) <= n:
			line += " " + item
		default:
			lines = append(lines, line)
			line = item
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
