package main

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

// translate turns a Java expression into one that Go's regexp takes. The one thing in the service model that RE2 does not
// know, looking ahead for a beginning that is refused, becomes a string of its own.
func translate(java string) (re2, refused string, err error) {
	re2 = java
	if rest, found := strings.CutPrefix(re2, "^(?!"); found {
		end := strings.IndexByte(rest, ')')
		if end < 0 || strings.ContainsAny(rest[:end], `\[](|?*+{}.^$`) {
			return "", "", fmt.Errorf("pattern %s looks ahead for more than plain text", java)
		}
		refused, re2 = rest[:end], "^"+rest[end+1:]
	}
	tree, err := syntax.Parse(re2, syntax.Perl)
	if err != nil {
		return "", "", fmt.Errorf("pattern %s: %w", java, err)
	}
	if dots(tree) {
		re2 = tree.String()
	}
	return re2, refused, nil
}

// dots gives every dot the meaning that it has in Java, where no line terminator of Unicode matches it, and says whether
// there was one. Go's matches all but the line feed.
func dots(e *syntax.Regexp) bool {
	found := e.Op == syntax.OpAnyCharNotNL
	if found {
		e.Op = syntax.OpCharClass
		e.Rune = []rune{0, '\n' - 1, '\n' + 1, '\r' - 1, '\r' + 1, 0x84, 0x86, 0x2027, 0x202a, 0x10ffff}
	}
	for _, sub := range e.Sub {
		found = dots(sub) || found
	}
	return found
}
