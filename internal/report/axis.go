package report

import (
	"strconv"
	"time"
)

// axis is the time axis of one video.
type axis struct {
	length time.Duration // > 0
	sample time.Duration // what a single sighting stands for
}

// newAxis is as long as the video, or as what was seen of it where the container says less.
func newAxis(v *Video, sampleRate float64) axis {
	a := axis{length: v.Info.Duration, sample: period(sampleRate)}
	for i := range v.Sightings {
		a.length = max(a.length, v.Sightings[i].Time+a.sample)
	}
	a.length = max(a.length, time.Second)
	return a
}

// tick is a labelled place on the axis; At is in percent. Every second one is minor, for narrow screens to leave out.
type tick struct {
	At, Text, Anchor string
	Minor            bool
}

// ticks are 4 to 8 round times, the first at 0.
func (a axis) ticks() []tick {
	step := a.step()
	var out []tick
	for t := time.Duration(0); t <= a.length; t += step {
		mark := tick{At: a.percent(t), Text: clock(t)[:len(clock(t))-2], Anchor: "middle", Minor: len(out)%2 == 1}
		if step < time.Second {
			mark.Text = clock(t)
		}
		switch {
		case t == 0:
			mark.Anchor = "start"
		case t > a.length-a.length/25: // a label in the middle of the last tick would stick out
			mark.Anchor = "end"
		}
		out = append(out, mark)
	}
	return out
}

// step is the shortest round time of which at most eight fit into the axis.
func (a axis) step() time.Duration {
	for _, step := range []time.Duration{
		200 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour,
	} {
		if a.length/step < 8 {
			return step
		}
	}
	days := int(a.length.Hours()/24)/8 + 1
	return time.Duration(days*24) * time.Hour
}

// bar is an interval on the axis, with the sampling period that its last sighting stands for, and never too thin to see
// or to hit.
func (a axis) bar(i Interval) barView {
	const thinnest = 0.25 // percent: some 2 pixels of a usual screen, beside the bar's outline
	at := 100 * max(i.Start.Seconds(), 0) / a.length.Seconds()
	width := max(100*(i.End+a.sample-i.Start).Seconds()/a.length.Seconds(), thinnest)
	at = max(min(at, 100-thinnest), 0)
	width = min(width, 100-at)
	class, title := "qs", span(i, "–")
	if i.Best.Similarity > 0 {
		class = band(float64(i.Best.Similarity))
		title += ", " + percent(i.Best.Similarity) + " %"
		if i.Best.Own < i.Best.Similarity {
			title += " (" + percent(i.Best.Own) + " % by itself, the rest from other sightings of the same person)"
		}
	}
	return barView{
		Class: class, At: decimal(at), Width: decimal(width), Stamp: stamp(i.Start),
		Title: title + ", " + lasting(max(i.End-i.Start, a.sample)),
	}
}

func (a axis) percent(t time.Duration) string {
	return decimal(100 * t.Seconds() / a.length.Seconds())
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) }
