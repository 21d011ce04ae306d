package iam

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// naive tries everything.
func naive(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return naive(pattern[1:], name) || name != "" && naive(pattern, name[1:])
	case name == "":
		return false
	default:
		return (pattern[0] == '?' || pattern[0] == name[0]) && naive(pattern[1:], name[1:])
	}
}

func TestFitsIsTheNaiveMatch(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*?]{0,9}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab*]{0,9}`).Draw(t, "name")
		if got, want := fits(pattern, name), naive(pattern, name); got != want {
			t.Fatalf("fits(%q, %q) is %v", pattern, name, got)
		}
	})
}

func TestFitsTakesNoTimeToSpeakOf(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	if fits(strings.Repeat("*a", 5000)+"b", strings.Repeat("a", 300)) {
		t.Error("it fits")
	}
	if took := time.Since(begun); took > 5*time.Second { // trying everything would outlast the universe
		t.Errorf("took %v", took)
	}
}
