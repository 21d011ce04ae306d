package main

import (
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestPlay wants the same figures from the same seed, and those that the document tells of to hold in general.
func TestPlay(t *testing.T) {
	t.Parallel()
	s := scenario(20, 7)
	s.length = 30 * time.Minute
	all := policies()
	turns := all[3]
	r := play(s, turns)
	if again := play(s, turns); !reflect.DeepEqual(r, again) {
		t.Error("the same seed plays otherwise")
	}
	if len(r.waits) < 30 || r.deaths == 0 || r.busy < .95 || r.busy > 1 {
		t.Errorf("%d short jobs, %d deaths, %.2f busy", len(r.waits), r.deaths, r.busy)
	}
	if r.longestLost > 30*time.Second {
		t.Errorf("what a dead worker was running waited for %v", r.longestLost)
	}
	if most := r.wait(1); most > 5*time.Second { // a round of all workers, or two
		t.Errorf("a short job waited for %v", most)
	}
	if share := r.share(); share < .45 || share > .55 {
		t.Errorf("of two keys one gets %.2f", share)
	}
	if mixed := play(s, all[2]); mixed.share() > .1 {
		t.Errorf("where jobs take turns whosoever they are one of twenty gets %.2f", mixed.share())
	}
	if starved := play(s, all[0]); len(starved.waits) > 0 && starved.wait(.5) < 10*r.wait(.5) {
		t.Errorf("with all segments in the queue at once short jobs wait for %v, by turns %v", starved.wait(.5), r.wait(.5))
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	picture := draw("a < b", "x", "y", []line{{"one", []point{{1, 0}, {1000, 50}}}, {"two", []point{{1, 3}, {10, 3}}}})
	for d := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, picture)
		}
	}
	if n := strings.Count(string(picture), "stroke-width"); n != 4 { // and what they are called
		t.Errorf("%d lines are drawn", n)
	}
}
