package report

import (
	"math"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// runs are the sightings of each person as unbroken movements, in order of their beginning: from one sighting to the
// next at most two samples pass, and the face does not jump, as it does at a cut.
func runs(sightings []face.Sighting, sample time.Duration) [][]*face.Sighting {
	const (
		samples = 2
		slack   = 1.1 // of the period: samples fall on frames, not on exact multiples
	)
	gap := time.Duration(samples * slack * float64(sample))
	var all [][]*face.Sighting
	open := map[int][]int{} // by person: the runs that may go on, as indices into all
	for i := range sightings {
		s := &sightings[i]
		best, distance := -1, math.Inf(1)
		live := open[s.Person][:0]
		for _, r := range open[s.Person] {
			last := all[r][len(all[r])-1]
			if s.Time-last.Time > gap {
				continue
			}
			live = append(live, r)
			// Two tracklets of one person can be seen at the same time; each goes on with the nearer face.
			if d := jump(last.Detection.Box, s.Detection.Box); last.Time < s.Time && d < distance {
				best, distance = r, d
			}
		}
		// A face that moves by more than its own size in a fraction of a second was cut to, or is another.
		if best < 0 || distance > 1 {
			best = len(all)
			all = append(all, nil)
			live = append(live, best)
		}
		all[best] = append(all[best], s)
		open[s.Person] = live
	}
	return all
}

// jump is the distance of two boxes' centres in units of the larger one's size, the farther of across and down.
func jump(a, b face.Box) float64 {
	p, q := a.Center(), b.Center()
	across := math.Abs(float64(p.X-q.X)) / math.Max(float64(max(a.Width, b.Width)), 1e-6)
	down := math.Abs(float64(p.Y-q.Y)) / math.Max(float64(max(a.Height, b.Height)), 1e-6)
	return max(across, down)
}
