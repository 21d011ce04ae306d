package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/bench/internal/process"
)

// report is everything measured in one run.
type report struct {
	Rounds  int      `json:"rounds"`
	Clips   []result `json:"clips"`
	Sums    []sum    `json:"sums"`
	Skipped []string `json:"skipped,omitempty"`
}

// result is one peer on one clip.
type result struct {
	Peer  string             `json:"peer"`
	Clip  string             `json:"clip"`
	Cost  process.Cost       `json:"cost"` // medians of the rounds
	Score evaluation.Outcome `json:"score"`

	matches []evaluation.Match
	truth   *evaluation.Truth
	rounds  []process.Cost
}

// sum is one peer on all clips, at one threshold.
type sum struct {
	Peer      string        `json:"peer"`
	Threshold float64       `json:"threshold"`
	CPU       time.Duration `json:"cpu"`
	// Ratio is the processor time to that of the first peer, the median of the rounds.
	Ratio  float64 `json:"ratio"`
	Points int     `json:"points"`
	Hits   int     `json:"hits"`
	True   int     `json:"true"`
	False  int     `json:"false"`
	// WrongNames counts each false name once a clip.
	WrongNames int `json:"wrongNames"`
	// SafeThreshold is just above all false matches, or admits everything where there are none; SafeHits are the points found
	// with it.
	SafeThreshold float64 `json:"safeThreshold"`
	SafeHits      int     `json:"safeHits"`
}

// measuring is one run under way.
type measuring struct {
	report
	peers []peer
	w     io.Writer // for people; nothing where JSON is wanted
}

// measure runs all peers on all clips, in turns.
func (m *measuring) measure(ctx context.Context, set evaluation.Set, clips []evaluation.Clip, rounds int) error {
	m.Rounds = rounds
	for _, c := range clips {
		gt, err := evaluation.ReadTruth(set.Path(c.Truth))
		if err != nil {
			return err
		}
		results := make([]result, len(m.peers))
		for range rounds {
			for i := range m.peers {
				matches, cost, err := m.peers[i].search(ctx, set.Path(c.Faces), set.Path(c.Video), gt)
				if err != nil {
					return fmt.Errorf("%s in %s: %w", m.peers[i].name, c.Name, err)
				}
				results[i].matches, results[i].rounds = matches, append(results[i].rounds, cost)
			}
		}
		for i, r := range results {
			r.Peer, r.Clip, r.truth, r.Cost = m.peers[i].name, c.Name, gt, process.Typical(r.rounds)
			r.Score = evaluation.ScoreMatches(r.matches, gt, m.peers[i].threshold)
			r.Score.Clip = c.Name
			m.Clips = append(m.Clips, r)
			fmt.Fprintf(m.w, "%-18s %-14s %6.1f s CPU, recall %5.1f %% of %3d points, precision %5.1f %% (%d true, %d false)\n", r.Clip, r.Peer,
				r.Cost.CPU.Seconds(), 100*r.Score.Recall(), r.Score.Points, 100*r.Score.Precision(), r.Score.True, r.Score.False)
		}
	}
	return nil
}

// sum adds up the clips of each peer, at each of its thresholds.
func (m *measuring) sum() {
	costs := map[string][]process.Cost{}
	answers := map[string][]result{}
	for _, r := range m.Clips {
		answers[r.Peer] = append(answers[r.Peer], r)
		if costs[r.Peer] == nil {
			costs[r.Peer] = make([]process.Cost, m.Rounds)
		}
		for i, c := range r.rounds {
			costs[r.Peer][i].CPU += c.CPU
		}
	}
	for _, p := range m.peers {
		for _, threshold := range append([]float64{p.threshold}, p.also...) {
			s := sum{Peer: p.name, Threshold: threshold, CPU: process.Typical(costs[p.name]).CPU, SafeThreshold: safe(answers[p.name])}
			s.Ratio = process.Ratio(costs[p.name], costs[m.peers[0].name], func(c process.Cost) time.Duration { return c.CPU })
			for _, r := range answers[p.name] {
				s.add(r)
			}
			m.Sums = append(m.Sums, s)
		}
	}
}

func (s *sum) add(r result) {
	o := evaluation.ScoreMatches(r.matches, r.truth, s.Threshold)
	s.Points, s.Hits, s.True, s.False = s.Points+o.Points, s.Hits+o.Hits, s.True+o.True, s.False+o.False
	names := map[string]bool{}
	for _, w := range o.Wrong {
		names[w.Identity] = true
	}
	s.WrongNames += len(names)
	s.SafeHits += evaluation.ScoreMatches(r.matches, r.truth, s.SafeThreshold).Hits
}

// safe is the lowest threshold at which nobody is named wrongly.
func safe(results []result) float64 {
	lowest, wrong := math.MaxFloat64, -math.MaxFloat64
	for _, r := range results {
		for _, m := range r.matches {
			lowest = min(lowest, m.Score)
		}
		for _, w := range evaluation.ScoreMatches(r.matches, r.truth, -math.MaxFloat64).Wrong {
			wrong = max(wrong, math.Nextafter(w.Similarity, math.MaxFloat64))
		}
	}
	return max(lowest, wrong)
}

// print prints the sums as a table.
func (m *measuring) print() {
	t := tabwriter.NewWriter(m.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\npeer\tCPU\tto Spotter\tthreshold\trecall\tprecision\tfalse matches\twrong names\trecall without wrong names\tat\t")
	for _, s := range m.Sums {
		fmt.Fprintf(t, "%s\t%.1f s\t%.2f\t%g\t%.1f %%\t%.1f %%\t%d\t%d\t%.1f %%\t%.3f\t\n", s.Peer, s.CPU.Seconds(), s.Ratio, s.Threshold,
			100*evaluation.Share(s.Hits, s.Points), 100*evaluation.Share(s.True, s.True+s.False), s.False, s.WrongNames,
			100*evaluation.Share(s.SafeHits, s.Points), s.SafeThreshold)
	}
	_ = t.Flush() // whoever reads went away, or not
}
