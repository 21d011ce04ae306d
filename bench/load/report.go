package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// report is all that was measured. Parts that were not are absent.
type report struct {
	Machine machine `json:"machine"`
	// LoadBefore and LoadAfter are how many processes wanted a core before and after: well above 0 before, others were at work.
	LoadBefore float64         `json:"load_before"`
	LoadAfter  float64         `json:"load_after"`
	Idle       *idleReport     `json:"idle,omitempty"`
	Photos     []photosReport  `json:"photos,omitempty"`
	Jobs       []jobsReport    `json:"jobs,omitempty"`
	Galleries  []galleryReport `json:"galleries,omitempty"`
	Results    []resultsReport `json:"results,omitempty"`
	Soak       *soakReport     `json:"soak,omitempty"`
}

// failures counts errors that nobody asked for.
func (r *report) failures() (n int) {
	count := func(errs map[string]int) {
		for _, more := range errs {
			n += more
		}
	}
	for i := range r.Photos {
		count(r.Photos[i].Errors)
	}
	for i := range r.Jobs {
		count(r.Jobs[i].Errors)
		n += r.Jobs[i].Failed
	}
	for i := range r.Galleries {
		count(r.Galleries[i].Errors)
	}
	if r.Soak != nil {
		count(r.Soak.Load.Errors)
		n += r.Soak.Load.Failed
	}
	return n
}

// print writes the report as tables.
func (r *report) print(out io.Writer) error {
	fmt.Fprintf(out, "%s, %d cores, %s, %s, %s\n%s\nload average before %.1f, after %.1f\n\n", r.Machine.CPU, r.Machine.Cores,
		size(r.Machine.Memory), r.Machine.System, r.Machine.Go, r.Machine.Spotter, r.LoadBefore, r.LoadAfter)
	if i := r.Idle; i != nil {
		fmt.Fprintf(out, "idle: ready after %s, %.2f %% of a core over %s, %s resident, %s of it private\n\n",
			brief(i.Ready), 100*i.Core, i.For, size(i.Resident), size(i.Private))
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.printPhotos(w)
	r.printJobs(w)
	r.printGalleries(w)
	r.printResults(w)
	r.printSoak(w)
	return w.Flush()
}

const timingColumns = "requests\t1/s\tp50\tp90\tp99\tmax\t"

func (t *timing) columns() string {
	return fmt.Sprintf("%d\t%.1f\t%s\t%s\t%s\t%s\t", t.Requests, t.PerSecond, brief(t.P50), brief(t.P90), brief(t.P99), brief(t.Max))
}

func (r *report) printPhotos(w io.Writer) {
	if len(r.Photos) == 0 {
		return
	}
	fmt.Fprintln(w, "photos\tclients\tfaces/s\t"+timingColumns)
	for i := range r.Photos {
		p := &r.Photos[i]
		for k := range p.Operations {
			faces := ""
			if k == 0 {
				faces = fmt.Sprintf("%.1f", p.FacesPerSecond)
			}
			fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", p.Operations[k].Operation, p.Clients, faces, p.Operations[k].columns())
		}
		printErrors(w, p.Errors)
	}
	fmt.Fprintln(w)
}

func (r *report) printJobs(w io.Writer) {
	if len(r.Jobs) == 0 {
		return
	}
	fmt.Fprintln(w, "jobs\tclients\t"+timingColumns)
	for i := range r.Jobs {
		j := &r.Jobs[i]
		for k := range j.Operations {
			fmt.Fprintf(w, "%s, %s\t%d\t%s\n", j.Name, j.Operations[k].Operation, j.Clients, j.Operations[k].columns())
		}
		printErrors(w, j.Errors)
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "jobs\trequests/s\tthrottled\tfailures\tjobs done\tjobs failed\tx realtime\tof alone\tMB\tMB last\tMB/min\tMB children\tgoroutines\tfiles\t")
	for i := range r.Jobs {
		r.Jobs[i].printWhole(w)
	}
	fmt.Fprintln(w)
}

func (j *jobsReport) printWhole(w io.Writer) {
	const mega = 1e6
	failures := 0
	for _, n := range j.Errors {
		failures += n
	}
	var children int64
	goroutines, files := 0, 0
	for _, s := range j.Memory.Samples {
		children, goroutines, files = max(children, s.Children), max(goroutines, s.Goroutines), max(files, s.Files)
	}
	fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t%d\t%.1f\t%.2f\t%.0f\t%.0f\t%+.1f\t%.0f\t%d\t%d\t\n", j.Name, j.PerSecond, j.Throttled, failures,
		j.Done, j.Failed, j.Realtime, j.Relative, j.Memory.First/mega, j.Memory.Last/mega, j.Memory.Growth/mega, float64(children)/mega,
		goroutines, files)
}

func (r *report) printGalleries(w io.Writer) {
	if len(r.Galleries) == 0 {
		return
	}
	fmt.Fprintln(w, "faces\tfilled/s\tdisk\tready\tof it loading\twith a file\tof it loading\tresident\tprivate\t")
	for i := range r.Galleries {
		g := &r.Galleries[i]
		fmt.Fprintf(w, "%d\t%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", g.Faces, g.Filled, size(g.Database), brief(g.Ready), brief(g.Load),
			brief(g.FileReady), brief(g.FileLoad), size(g.Resident), size(g.Private))
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "SearchFaces\tclients\tfound\t"+timingColumns)
	for i := range r.Galleries {
		g := &r.Galleries[i]
		for k := range g.Searches {
			s := &g.Searches[k]
			fmt.Fprintf(w, "%d faces\t%d\t%.1f\t%s\n", g.Faces, s.Clients, s.Found, s.Timing.columns())
		}
		printErrors(w, g.Errors)
	}
	fmt.Fprintln(w)
}

func (r *report) printResults(w io.Writer) {
	if len(r.Results) == 0 {
		return
	}
	fmt.Fprintln(w, "GetFaceSearch\tsightings\tfirst pages\tlast pages\tratio\t"+timingColumns)
	for i := range r.Results {
		p := &r.Results[i]
		fmt.Fprintf(w, "by %s\t%d\t%s\t%s\t%.2f\t%s\n", p.Order, p.Sightings, brief(p.Start), brief(p.End), p.Ratio, p.Pages.columns())
	}
}

func (r *report) printSoak(w io.Writer) {
	if r.Soak == nil {
		return
	}
	l := &r.Soak.Load
	fmt.Fprintln(w, "soak\tclients\t"+timingColumns)
	for i := range l.Operations {
		fmt.Fprintf(w, "%s\t%d\t%s\n", l.Operations[i].Operation, l.Clients, l.Operations[i].columns())
	}
	printErrors(w, l.Errors)
	fmt.Fprintf(w, "\n%d jobs done and %d failed in %s\n\n", l.Done, l.Failed, l.For.Round(time.Second))
	fmt.Fprintln(w, "growth, by quarters\tfirst\tsecond\tthird\tlast\tmay be\t")
	for i := range r.Soak.Growth {
		g := &r.Soak.Growth[i]
		fmt.Fprintf(w, "%s\t", g.Name)
		for _, v := range append(g.Quarters[:], g.Most) {
			fmt.Fprintf(w, "%s\t", amount(v))
		}
		if g.unbounded() {
			fmt.Fprint(w, "GROWS")
		}
		fmt.Fprintln(w)
	}
}

// amount is a number of bytes, or of few things.
func amount(v float64) string {
	const kilo = 1e3
	if v < kilo {
		return fmt.Sprintf("%.0f", v)
	}
	return size(int64(v))
}

func printErrors(w io.Writer, errs map[string]int) {
	for _, name := range slices.Sorted(maps.Keys(errs)) {
		fmt.Fprintf(w, "FAILED\t%d\t%s\n", errs[name], name)
	}
}

// size is a number of bytes as disks and memories are sold.
func size(bytes int64) string {
	const giga, mega = 1e9, 1e6
	if bytes >= giga {
		return fmt.Sprintf("%.2f GB", float64(bytes)/giga)
	}
	return fmt.Sprintf("%.0f MB", float64(bytes)/mega)
}

// brief is a time with as many digits as mean something.
func brief(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1fms", d.Seconds()*1e3)
	default:
		return fmt.Sprintf("%.2fms", d.Seconds()*1e3)
	}
}
