package report

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// SubtitleOptions say how faces are marked.
type SubtitleOptions struct {
	// SampleRate is how often the video was looked at, in frames a second: boxes are drawn moving between two sightings
	// of a person that are at most two samples apart.
	SampleRate float64
	// Font is the label's font; empty means Sans, which every fontconfig knows.
	Font string
}

// step is how often a moving box is drawn anew. It is what the eye takes for motion in an overlay, and keeps the script
// of a long video small.
const step = 100 * time.Millisecond

// Subtitles writes an ASS script that draws a box around every sighting and labels it with the best match's name and
// similarity, or as a stranger with a number, the one that [HTML] gives them. Its picture size is the video's, upright; its times are the
// sightings'. An error is w's, wrapped, or says that the video has no size.
func Subtitles(w io.Writer, v *Video, g *Gallery, opts SubtitleOptions) error {
	if v.Info.Width <= 0 || v.Info.Height <= 0 {
		return fmt.Errorf("write subtitles: the video's size is %d x %d", v.Info.Width, v.Info.Height)
	}
	out := bufio.NewWriter(w)
	s := newScript(out, v, g, opts)
	s.head(opts.Font)
	for _, r := range runs(v.Sightings, period(opts.SampleRate)) {
		s.run(r)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write subtitles: %w", err)
	}
	return nil
}

// script writes one ASS file.
type script struct {
	out           *bufio.Writer // keeps its first error until Flush
	gallery       *Gallery
	strangers     map[int]int    // their numbers, by person
	colors        map[string]rgb // by label name
	width, height int
	hold          time.Duration // how long a box stays after its last sighting
	font, line    int           // pixels: the label's size, the box's line
}

// rgb is a colour.
type rgb struct{ r, g, b uint8 }

func newScript(out *bufio.Writer, v *Video, g *Gallery, opts SubtitleOptions) *script {
	s := &script{
		out: out, gallery: g, strangers: strangerNumbers(v.Sightings), colors: map[string]rgb{}, width: v.Info.Width, height: v.Info.Height,
		// Until halfway to the next sample: the best guess of when the face went.
		hold: max(period(opts.SampleRate)/2, step),
		font: max(v.Info.Height/30, 12), // readable at full screen, and no smaller than any font is legible
		line: max(v.Info.Height/240, 2), // 4 pixels at 1080p
	}
	matched, strangers := 0, 0
	for i := range v.Sightings {
		name, known := s.name(&v.Sightings[i])
		if _, done := s.colors[name]; done {
			continue
		}
		if known {
			s.colors[name] = vivid(matched)
			matched++
		} else {
			s.colors[name] = pale(strangers)
			strangers++
		}
	}
	return s
}

// head is the script's header. Label is a text on an opaque box (BorderStyle 3), whose colour each event sets; Frame is
// a drawing.
func (s *script) head(font string) {
	if font == "" {
		font = "Sans"
	}
	font = strings.NewReplacer(",", " ", "\n", " ", "\r", " ").Replace(plain(font))
	s.printf(`[Script Info]
ScriptType: v4.00+
PlayResX: %d
PlayResY: %d
ScaledBorderAndShadow: yes
WrapStyle: 2
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Frame,%s,%d,&H00FFFFFF,&H00FFFFFF,&H60000000,&H00000000,0,0,0,0,100,100,0,0,1,1,0,7,0,0,0,1
Style: Label,%s,%d,&H00000000,&H00000000,&H00FFFFFF,&H00000000,1,0,0,0,100,100,0,0,3,%d,0,1,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
`, s.width, s.height, font, s.font, font, s.font, s.padding())
}

// padding is the label's, around its text.
func (s *script) padding() int { return max(s.font/6, 2) }

// mark is a box with its label, as drawn: in whole pixels.
type mark struct {
	x0, y0, x1, y1 int
	text           string
	color          rgb
}

// run draws one run of sightings: a box at each sighting, moving to the next. A mark that does not change is drawn once.
func (s *script) run(sightings []*face.Sighting) {
	var from time.Duration
	var pending mark
	begun := false
	next := func(at time.Duration, m mark) {
		if begun && m == pending {
			return
		}
		if begun {
			s.draw(from, at, pending)
		}
		from, pending, begun = at, m, true
	}
	for i, a := range sightings {
		next(a.Time, s.mark(a, a.Detection.Box))
		if i == len(sightings)-1 {
			break
		}
		b := sightings[i+1]
		for t := a.Time + step; t < b.Time; t += step {
			share := float32(t-a.Time) / float32(b.Time-a.Time)
			next(t, s.mark(a, between(a.Detection.Box, b.Detection.Box, share)))
		}
	}
	s.draw(from, sightings[len(sightings)-1].Time+s.hold, pending)
}

func (s *script) mark(sighting *face.Sighting, box face.Box) mark {
	name, known := s.name(sighting)
	m := mark{text: name, color: s.colors[name]}
	if known {
		short := strings.TrimRight(fit(plain(name), min(columns(plain(name)), maxNameColumns)), " ")
		m.text = fmt.Sprintf("%s %s%%", short, percent(sighting.Matches[0].Similarity))
	}
	p := box.Pixels(s.width, s.height)
	m.x0, m.x1 = within(p.X0, s.width), within(p.X1, s.width)
	m.y0, m.y1 = within(p.Y0, s.height), within(p.Y1, s.height)
	return m
}

// name is who a sighting is labelled as, and whether that is someone enrolled.
func (s *script) name(sighting *face.Sighting) (string, bool) {
	if len(sighting.Matches) > 0 {
		return s.gallery.name(sighting.Matches[0].ID), true
	}
	if number := s.strangers[sighting.Person]; number > 0 {
		return strangerName(number), false
	}
	return "not recognised", false // here: another sighting of the person is
}

// draw writes the events of a mark, unless it lies outside the picture or is shorter than ASS can say.
func (s *script) draw(start, end time.Duration, m mark) {
	if centis(end) <= centis(start) || m.x1 <= m.x0 || m.y1 <= m.y0 {
		return
	}
	times := assTime(start) + "," + assTime(end)
	s.printf("Dialogue: 0,%s,Frame,,0,0,0,,{\\pos(0,0)\\1c%s\\p1}%s\n", times, m.color.ass(), m.frame(s.line))
	anchor, x, y := s.place(m)
	s.printf("Dialogue: 1,%s,Label,,0,0,0,,{\\an%d\\pos(%d,%d)\\1c%s\\3c%s}%s\n",
		times, anchor, x, y, m.color.ink().ass(), m.color.ass(), assText(m.text))
}

// place is where a mark's label goes: a point, and which of the label's corners lies there (numpad position). The label
// stands on the box, flush with its left edge, or with its right edge where it would leave the picture; where there is
// no room above, it hangs inside the box from its upper edge.
func (s *script) place(m mark) (anchor, x, y int) {
	const bottomLeft, bottomRight, topLeft, topRight = 1, 3, 7, 9
	const letter = 6 // tenths of the font size: a generous mean width of a bold character
	pad := s.padding()
	above := m.y0-s.line >= s.font+2*pad
	if fits := m.x0+2*pad+columns(m.text)*s.font*letter/10 <= s.width; fits {
		anchor, x = bottomLeft, m.x0+pad
	} else {
		anchor, x = bottomRight, m.x1-pad
	}
	if above {
		return anchor, x, m.y0 - s.line - pad
	}
	if anchor == bottomLeft {
		return topLeft, x, m.y0 + s.line + pad
	}
	return topRight, x, m.y0 + s.line + pad
}

// frame is the box as a drawing: a rectangle with a hole, whose edges run the other way round.
func (m mark) frame(line int) string {
	l := min(line, (m.x1-m.x0)/2, (m.y1-m.y0)/2)
	x0, y0, x1, y1 := m.x0+l, m.y0+l, m.x1-l, m.y1-l
	return fmt.Sprintf("m %d %d l %d %d %d %d %d %d m %d %d l %d %d %d %d %d %d",
		m.x0, m.y0, m.x1, m.y0, m.x1, m.y1, m.x0, m.y1, x0, y0, x0, y1, x1, y1, x1, y0)
}

func (s *script) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...)
}

// within is a coordinate as a whole pixel inside the picture; what is not a number is at its edge.
func within(x float32, size int) int {
	if !(x > 0) {
		return 0
	}
	return int(math.Round(min(float64(x), float64(size))))
}

func between(a, b face.Box, share float32) face.Box {
	mix := func(x, y float32) float32 { return x + share*(y-x) }
	return face.Box{
		Left: mix(a.Left, b.Left), Top: mix(a.Top, b.Top),
		Width: mix(a.Width, b.Width), Height: mix(a.Height, b.Height),
	}
}

// centis is a time in ASS's unit.
func centis(d time.Duration) int64 { return max(d.Round(10*time.Millisecond).Milliseconds()/10, 0) }

func assTime(d time.Duration) string {
	c := centis(d)
	return fmt.Sprintf("%d:%02d:%02d.%02d", c/360_000, c/6000%60, c/100%60, c%100)
}

// assText escapes text for an event. A brace would open a block of commands; a backslash has no escape of its own, so
// an invisible word joiner keeps it from being read together with what follows.
func assText(s string) string {
	return strings.NewReplacer(`\`, "\\\u2060", "{", `\{`, "}", `\}`).Replace(plain(s))
}
