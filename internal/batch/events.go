package batch

import (
	"sync"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// Event is something that happened during a [Search], a [Find] or an [Index]: one of the types below. Events come one at a time.
type Event interface{ event() }

// EnrolmentStarted says that the photos have been found and are about to be read.
type EnrolmentStarted struct{ Photos int }

// PhotoDone says that one more photo has been read, whether its face was enrolled or not.
type PhotoDone struct{ Done, Photos int }

// EnrolmentDone says how many faces of how many people are searched for.
type EnrolmentDone struct{ Faces, People int }

// Noted says that a file of the folder of people was passed over or refused, or wants attention.
type Noted struct {
	Path   string
	Reason string
	// Refused says that it is a photo that is not enrolled; otherwise it is something of lesser weight.
	Refused bool
}

// VideoStarted says that a video has been opened.
type VideoStarted struct {
	// Video numbers the videos of the search from 0; Videos is how many there are.
	Video, Videos int
	Path          string
	Info          face.VideoInfo
}

// VideoProgress says that a frame has been analysed.
type VideoProgress struct {
	Video int
	// Analysed is how much of the video has been analysed, in all its segments together.
	Analysed time.Duration
	// Faces is how many faces have been seen so far, each counted at each analysed time.
	Faces int
}

// VideoKnown says that nothing had to be done for a video that is indexed.
type VideoKnown struct {
	// Video numbers the videos from 0; Videos is how many there are.
	Video, Videos int
	Path          string
	// Recognised says that it was known under another name.
	Recognised bool
}

// Reading says how many bytes of a file have been read to tell what it contains.
type Reading struct {
	Video      int
	Path       string
	Read, Size int64
}

// Loading says how many tracklets of an archive have been read.
type Loading struct{ Tracklets int }

// Annotating says how far the annotated copy of a searched video has been written.
type Annotating struct {
	Video   int
	Written time.Duration
}

// VideoDone says that a video's results are complete, or that it failed. Videos may end in another order than they began
// in.
type VideoDone struct {
	Video   int
	Path    string
	Length  time.Duration
	Faces   int           // seen, each counted at each analysed time
	Persons int           // different people seen; -1 where nobody has asked
	Took    time.Duration // by the search; an annotated copy takes more
	// Warnings are sentences about what is odd with the video, such as damage. Most outputs have them as well.
	Warnings []string
	// Err says why the results are missing or incomplete; nil if they are neither.
	Err error
}

func (EnrolmentStarted) event() {}
func (PhotoDone) event()        {}
func (EnrolmentDone) event()    {}
func (Noted) event()            {}
func (VideoStarted) event()     {}
func (VideoProgress) event()    {}
func (VideoKnown) event()       {}
func (Reading) event()          {}
func (Loading) event()          {}
func (Annotating) event()       {}
func (VideoDone) event()        {}

// events hands events to whoever listens, one at a time. Safe for concurrent use.
type events struct {
	mu     sync.Mutex
	listen func(Event)
}

func (e *events) send(ev Event) {
	if e.listen == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listen(ev)
}

// note tells of a file that was passed over or refused.
func (e *events) note(path, reason string, refused bool) {
	e.send(Noted{Path: path, Reason: reason, Refused: refused})
}

// Step is one piece of a search's work.
type Step struct {
	Name string
	// Worker numbers who did it, from 1; 0 is what comes before and after, done by none of them.
	Worker   int
	From, To time.Time
}
