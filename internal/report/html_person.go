package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/draw"
)

// A page by person stays small, however many videos it is about: 5 MB for a thousand, in whatever number of them people
// are. Beyond these numbers its rows have no time axis, and show their best times only.
const (
	maxLanes   = 200  // rows
	maxMoments = 5000 // times of all rows together
	// pageBytes is what a page may take, about: rows and their times have half of it, pictures what is left.
	pageBytes = 4_500_000
	// personBytes, rowBytes and momentBytes are what a person, a row and a time take without names and links.
	personBytes, rowBytes, momentBytes = 700, 250, 50
	// laneBytes and barBytes are the same for rows with a time axis, whose times are bars as well, with names and links.
	laneBytes, barBytes = 4500, 320
	// smallSide is the side of a portrait in pixels where all of them at their full size would be too much; smallQuality
	// makes that 1 to 2 kB.
	smallSide, smallQuality = 72, 70
)

// peopleView is a page by person.
type peopleView struct {
	Total           string
	People          []personView
	Missing         string
	Failed, Partial []videoNote
	Nobody          string
	Notes           []string
	Axes            bool   // rows have time axes, with bars whose colours mean something
	Shortened       string // what was left out to keep the page small
}

// personView is one person on the page.
type personView struct {
	ID, Name, Percent, Seen string
	Picture                 pictureView
	Clips                   []laneView
}

// videoNote is a video about which there is a word to say.
type videoNote struct{ Name, Link, Text string }

func newPeopleView(run *Run, o *Overview) *peopleView {
	size := measure(run, o)
	view := &peopleView{Axes: !size.compact && len(o.Found) > 0}
	for i := range o.Found {
		p := &o.Found[i]
		person := personView{
			ID: "person-" + strconv.Itoa(i+1), Name: plain(p.Name), Percent: percent(p.Best.Similarity),
			Seen: seenIn(p.Seen, p.Places) + ", in " + count(len(p.Clips), "video", "videos"),
		}
		for j := range p.Clips {
			person.Clips = append(person.Clips, size.clip(run, &p.Clips[j]))
		}
		view.People = append(view.People, person)
	}
	view.addPictures(run, o, size)
	missing := make([]string, len(o.Missing))
	for i := range o.Missing {
		missing[i] = o.Missing[i].words()
	}
	view.Missing = strings.Join(missing, ", ")
	for _, v := range o.Failed {
		view.Failed = append(view.Failed, videoNote{plain(v.Name), link(run, v), failure(v)})
	}
	for _, v := range o.Partial {
		view.Partial = append(view.Partial, videoNote{plain(v.Name), link(run, v), plain(strings.Join(v.Partial, "; "))})
	}
	if len(o.Nobody) > 0 {
		view.Nobody = "Nobody enrolled was found in " + count(len(o.Nobody), "video", "videos") + "."
	}
	view.Total = total(run, len(o.Failed), len(o.Found), len(o.Found)+len(o.Missing))
	if n := len(o.Partial); n > 0 {
		view.Total += fmt.Sprintf("; %s not searched completely", grouped(n))
	}
	view.Notes = oddities(run)
	return view
}

// budget is how a page by person is kept small.
type budget struct {
	compact bool // rows have no time axis
	times   int  // of each row, at most
	hidden  int  // times that are not shown
	text    int  // bytes of rows and times
}

// measure finds out how many times each row may show.
func measure(run *Run, o *Overview) *budget {
	rows, moments := 0, 0
	for i := range o.Found {
		rows += len(o.Found[i].Clips)
		moments += o.Found[i].Places
	}
	b := &budget{compact: rows > maxLanes || moments > maxMoments, times: maxTimes}
	if !b.compact {
		b.text = rows*laneBytes + moments*barBytes
		return b
	}
	for ; ; b.times-- {
		b.text, b.hidden = 0, 0
		for i := range o.Found {
			b.text += personBytes
			for _, c := range o.Found[i].Clips {
				shown := min(len(c.Intervals), b.times)
				b.text += rowBytes + len(c.Video.Name) + shown*(momentBytes+len(link(run, c.Video)))
				b.hidden += len(c.Intervals) - shown
			}
		}
		if b.text <= pageBytes/2 || b.times == 1 {
			return b
		}
	}
}

// clip is the row of a video that a person is in, but for its picture.
func (b *budget) clip(run *Run, c *Clip) laneView {
	intervals := c.Intervals
	if b.compact {
		intervals = best(intervals, b.times)
	}
	lane := newLane(plain(c.Video.Name), c.Seen, intervals, newAxis(c.Video, run.rate(c.Video)))
	lane.Seen = seenIn(c.Seen, len(c.Intervals))
	lane.Percent, lane.Lookalikes = percent(c.Best.Similarity), resembling(c.Lookalikes)
	lane.Link = link(run, c.Video)
	if lane.Link != "" {
		for i := range lane.Times {
			lane.Times[i].Link = moment(lane.Link, intervals[i].Start)
		}
		for i := range lane.More {
			lane.More[i].Link = moment(lane.Link, intervals[len(lane.Times)+i].Start)
		}
	}
	lane.OwnAxis = true
	if len(intervals) == 1 {
		lane.Span = "" // its time says it
	}
	if b.compact {
		if more := len(c.Intervals) - len(intervals); more > 0 {
			lane.Rest = fmt.Sprintf("and %s more", grouped(more))
		}
	}
	return lane
}

// best are the n best of some intervals, in the order of their times.
func best(intervals []Interval, n int) []Interval {
	if len(intervals) <= n {
		return intervals
	}
	chosen := slices.Clone(intervals)
	slices.SortStableFunc(chosen, func(a, b Interval) int { return cmp.Compare(b.Best.Similarity, a.Best.Similarity) })
	chosen = chosen[:n]
	slices.SortFunc(chosen, func(a, b Interval) int { return cmp.Compare(a.Start, b.Start) })
	return chosen
}

// addPictures shows the enrolled photo of each person and each one's portrait from each clip, as long as there is room:
// everybody's best clip first, then everybody's second, and so on.
func (view *peopleView) addPictures(run *Run, o *Overview, size *budget) {
	a := album{room: pageBytes - size.text}
	longest, total := 0, 0
	for i := range o.Found {
		p := &o.Found[i]
		longest = max(longest, len(p.Clips))
		total += len(enrolledPhoto(&p.Clips[0].Appearance, &run.Gallery))
		for _, c := range p.Clips {
			total += len(c.Video.Portraits[c.Person])
		}
	}
	a.small = total/3*4 > a.room // base64 takes four bytes for three
	for i := range view.People {
		photo := enrolledPhoto(&o.Found[i].Clips[0].Appearance, &run.Gallery)
		view.People[i].Picture = pictureView{a.add(photo), view.People[i].Name + ", enrolled photo", "enrolled"}
	}
	for rank := range longest {
		for i := range view.People {
			p := &o.Found[i]
			if rank >= len(p.Clips) {
				continue
			}
			c, row := &p.Clips[rank], &view.People[i].Clips[rank]
			row.Pictures = []pictureView{{Source: a.add(c.Video.Portraits[c.Person]), Text: view.People[i].Name + " in " + row.Name}}
		}
	}
	view.Shortened = shortened(a.leftOut, a.small, size.hidden)
}

// shortened says what a page does not show to stay small; empty where it shows all.
func shortened(pictures int, small bool, times int) string {
	var words []string
	switch {
	case pictures > 0:
		words = append(words, "pictures are small, and "+count(pictures, "is", "are")+" left out")
	case small:
		words = append(words, "pictures are small")
	}
	if times > 0 {
		words = append(words, count(times, "time is", "times are")+" left out, of each row the least sure ones")
	}
	if len(words) == 0 {
		return ""
	}
	return "To keep this page small, " + strings.Join(words, "; ") + ". The CSV has every time; a page of fewer videos shows more."
}

// album embeds pictures until there is no room left.
type album struct {
	room    int // bytes of the page
	small   bool
	leftOut int
}

func (a *album) add(picture []byte) template.URL {
	if len(picture) == 0 {
		return ""
	}
	if a.small && a.room > 0 {
		picture = shrink(picture)
	}
	uri := dataURI(picture)
	if len(uri) > a.room {
		a.leftOut++
		a.room = 0 // a smaller one of lesser rank would look like a choice
		return ""
	}
	a.room -= len(uri)
	return uri
}

// shrink makes a portrait small, or leaves it as it is where that cannot be read, or is no portrait by its size.
func shrink(picture []byte) []byte {
	const mostSide = 1024 // pixels; some hundred are usual
	size, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil || min(size.Width, size.Height) <= smallSide || max(size.Width, size.Height) > mostSide {
		return picture
	}
	full, err := jpeg.Decode(bytes.NewReader(picture))
	if err != nil {
		return picture
	}
	small := image.NewRGBA(image.Rect(0, 0, smallSide, smallSide*size.Height/size.Width))
	draw.CatmullRom.Scale(small, small.Bounds(), full, full.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: smallQuality}); err != nil {
		return picture
	}
	return out.Bytes()
}

// link is the address of a video from the page's folder; empty where that is not known. It always begins with a dot, so
// that no name can pass for a scheme such as javascript.
func link(run *Run, v *Video) string {
	if !filepath.IsAbs(run.Folder) || !filepath.IsAbs(v.Path) {
		return ""
	}
	path, err := filepath.Rel(run.Folder, v.Path)
	if err != nil {
		return ""
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "../") {
		path = "./" + path
	}
	return (&url.URL{Path: path}).EscapedPath()
}

// moment is the address of a time of a video (W3C Media Fragments 1.0, 4.2.1), to the tenth of a second before it: a player
// that begins a frame late would miss the face.
func moment(link string, at time.Duration) string {
	tenths := max(at.Milliseconds()/100, 0)
	return link + "#t=" + strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64)
}
