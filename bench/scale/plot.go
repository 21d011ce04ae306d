package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
)

// line is one of a plot.
type line struct {
	name   string
	points []point
}

type point struct{ x, y float64 }

const (
	plotWidth, plotHeight = 760, 420
	plotLeft, plotRight   = 70, 190
	plotTop, plotBottom   = 40, 50
)

// draw draws lines on logarithmic axes. Values below a tenth count as one.
func draw(title, across, up string, lines []line) []byte {
	var b bytes.Buffer
	text := func(x, y float64, anchor, words string) {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.0f" text-anchor="%s">`, x, y, anchor)
		_ = xml.EscapeText(&b, []byte(words)) // a buffer takes everything
		b.WriteString("</text>\n")
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#222">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", plotWidth, plotHeight)
	text(plotLeft, 22, "start", title)
	var all []point
	for _, l := range lines {
		all = append(all, l.points...)
	}
	x, y := newAxis(all, func(p point) float64 { return p.x }), newAxis(all, func(p point) float64 { return p.y })
	at := func(p point) (float64, float64) {
		return plotLeft + x.at(p.x)*(plotWidth-plotLeft-plotRight), plotHeight - plotBottom - y.at(p.y)*(plotHeight-plotTop-plotBottom)
	}
	for e := x.low; e <= x.high; e++ {
		px, _ := at(point{math.Pow10(e), 1})
		fmt.Fprintf(&b, `<path d="M%.0f %d V%d" stroke="#ddd"/>`+"\n", px, plotTop, plotHeight-plotBottom)
		text(px, plotHeight-plotBottom+18, "middle", fmt.Sprintf("%g", math.Pow10(e)))
	}
	for e := y.low; e <= y.high; e++ {
		_, py := at(point{1, math.Pow10(e)})
		fmt.Fprintf(&b, `<path d="M%d %.0f H%d" stroke="#ddd"/>`+"\n", plotLeft, py, plotWidth-plotRight)
		text(plotLeft-8, py+4, "end", fmt.Sprintf("%g", math.Pow10(e)))
	}
	text((plotLeft+plotWidth-plotRight)/2, plotHeight-12, "middle", across)
	text(8, 22, "start", up)
	colours := []string{"#b3261e", "#b58900", "#1b6e3c"}
	for i, l := range lines {
		b.WriteString(`<path fill="none" stroke-width="2" stroke="` + colours[i%len(colours)] + `" d="`)
		for n, p := range l.points {
			px, py := at(p)
			fmt.Fprintf(&b, "%s%.1f %.1f ", map[bool]string{true: "M", false: "L"}[n == 0], px, py)
		}
		b.WriteString("\"/>\n")
		const left = plotWidth - plotRight + 12
		beside := plotTop + 12 + 20*i
		fmt.Fprintf(&b, `<path stroke-width="2" stroke="%s" d="M%d %d h16"/>`+"\n", colours[i%len(colours)], left, beside)
		text(left+22, float64(beside+4), "start", l.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// axis is a logarithmic one between two powers of ten.
type axis struct{ low, high int }

const leastShown = .1

func newAxis(points []point, of func(point) float64) axis {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = max(leastShown, of(p))
	}
	a := axis{int(math.Floor(math.Log10(slices.Min(values)))), int(math.Ceil(math.Log10(slices.Max(values))))}
	a.high = max(a.high, a.low+1)
	return a
}

// at is where a value lies, 0 to 1.
func (a axis) at(v float64) float64 {
	return (math.Log10(max(v, leastShown)) - float64(a.low)) / float64(a.high-a.low)
}
