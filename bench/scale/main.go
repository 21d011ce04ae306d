// Scale plays the scheduling of segments with thousands of workers that die now and then, and jobs of all lengths: how long short jobs wait beside
// long ones, what an access key with few jobs gets beside one with many, how busy the workers are, and how long it takes until what a dead worker was
// running is done. It is deterministic: a seed gives the
// same figures on any machine. What it takes from the program are the pace of jobs ([service.PaceOf]) and when a worker counts as dead; what a
// segment costs comes from a measurement (docs/SCALING.md).
//
//	go run ./bench/scale --plot docs/scaling.svg
package main

import (
	"flag"
	"fmt"
	"os"
	"text/tabwriter"
	"time"
)

func main() {
	seed := flag.Uint64("seed", 1, "of all that is random")
	plot := flag.String("plot", "", "write a plot of how long short jobs wait into this file (SVG)")
	flag.Parse()
	if err := run(*seed, *plot); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// scenario is what is played.
func scenario(workers int, seed uint64) setting {
	return setting{
		workers: workers, seed: seed, segment: 15 * time.Second, cost: 2500 * time.Millisecond, length: 2 * time.Hour,
		// As many long videos as keep all workers busy, and a short one now and then.
		long: 6 * time.Hour, longs: max(20, workers/5), few: max(1, workers/100), short: 10 * time.Second, shortEvery: 20 * time.Second,
		dies: 4 * time.Hour, returns: time.Minute, noticed: 20 * time.Second, beat: 5 * time.Second,
	}
}

func run(seed uint64, plot string) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "workers\tpolicy\tlong jobs\tshort jobs\thalf wait\t99 % wait\tlongest\tfew jobs beside 19 times as many\tbusy\tdeaths\ta lost segment is begun again: longest\t")
	var lines []line
	for _, p := range policies() {
		l := line{name: p.name}
		for _, workers := range []int{2, 10, 100, 1000, 5000} {
			s := scenario(workers, seed)
			r := play(s, p)
			l.points = append(l.points, point{float64(workers), r.wait(.99).Seconds()})
			fmt.Fprintf(out, "%d\t%s\t%d\t%d\t%v\t%v\t%v\t%.1f %%\t%.1f %%\t%d\t%v\t\n", workers, p.name, s.longs, len(r.waits),
				r.wait(.5).Round(time.Second/10), r.wait(.99).Round(time.Second/10), r.wait(1).Round(time.Second/10), 100*r.share(), 100*r.busy,
				r.deaths, r.longestLost.Round(time.Second/10))
		}
		lines = append(lines, l)
	}
	if err := out.Flush(); err != nil || plot == "" {
		return err
	}
	return os.WriteFile(plot, draw("Wait of a 10 s video's only segment beside videos of six hours, 99 of 100", "workers", "seconds", lines), 0o644) //nolint:gosec // for everybody
}
