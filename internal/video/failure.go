package video

import (
	"errors"
	"fmt"
	"time"

	"github.com/spotter-video/spotter/internal/video/wire"
)

// failureError makes an error of what the child says. Only its reason's number is believed; the sentences are ours.
func failureError(f *wire.Failure) *Error {
	var cause error
	if text := f.Detail.String(); text != "" {
		cause = errors.New(text)
	}
	switch f.Reason {
	case wire.ReasonSandbox:
		e := fail(Unavailable, cause, "The decoder's sandbox could not be put in force, and the setting demands it. Run: "+
			"spotter doctor. To accept a weaker sandbox, set the sandbox level to relaxed.")
		e.sandbox = true
		return e
	case wire.ReasonOpen:
		return fail(Invalid, cause, "The file is damaged: it begins like a video, but cannot be read.")
	case wire.ReasonNoVideo:
		return fail(NoVideo, nil, "The file has no video track.")
	case wire.ReasonAudioOnly:
		return fail(NoVideo, nil, "The file has sound only, no video track.")
	case wire.ReasonCover:
		return fail(NoVideo, nil, "The file has sound and a cover picture only, no video track.")
	case wire.ReasonCodec:
		return fail(Unsupported, nil, "The video is coded as %s, which is not decoded. Convert it first: ffmpeg -i IN -c:v libx264 OUT.mp4.",
			codecName(f.Codec.String()))
	case wire.ReasonStreams:
		return fail(TooLarge, nil, "The file has more than 1000 streams, which are not read. Copy the video out of it first: "+
			"ffmpeg -max_streams 100000 -i IN -map 0:v -c copy OUT.mkv.")
	case wire.ReasonEncrypted:
		return fail(Unsupported, nil, "The video is encrypted (DRM): it can only be searched once it is decrypted.")
	case wire.ReasonPixels:
		return fail(TooLarge, cause, "The pictures are larger than the limit of pixels allows. Raise the limit, or convert the "+
			"video to a smaller size.")
	case wire.ReasonMemory:
		return tooMuchMemory(cause)
	case wire.ReasonNoFrames:
		return fail(Invalid, cause, "Not one picture of the video could be decoded: the file is damaged or incomplete.")
	case wire.ReasonRead:
		return fail(Invalid, cause, "The file cannot be read: check the disk or the network share that it is on.")
	case wire.ReasonNotBuilt:
		return fail(Unavailable, cause, "spotter-decode was built without libav, and there is no ffmpeg to use instead. Run: spotter doctor.")
	default:
		return fail(Crashed, cause, "The decoder gave up for a reason of its own (%d).", f.Reason)
	}
}

func codecName(name string) string {
	if name == "" || name == "none" {
		return "something unknown"
	}
	return name
}

// endsEarly is the warning of a file that is not all there.
const endsEarly = "the file ends too early: it was cut off or damaged, or is still being written"

// Damage counts what was odd with a segment, or with several together.
type Damage struct {
	Refused   int64         // packets that the decoder could make nothing of
	Missing   int64         // frames that were chosen and did not come
	Backwards int64         // frames left out because their time was not after the last one's
	Corrupt   int64         // packets of which the container says that a part is missing
	Concealed int64         // frames of which the decoder made up a part
	Lost      time.Duration // of which the file holds nothing that can be read
	Clocks    bool          // the clock starts anew too often; the rest is left out
	Truncated bool          // the file ends before it says so itself
}

func damageOf(d *wire.Done) Damage {
	return Damage{
		Refused: d.Errors, Missing: d.Missing, Backwards: d.Backwards, Truncated: d.Truncated,
		Corrupt: d.Corrupt, Concealed: d.Concealed, Lost: time.Duration(d.Lost), Clocks: d.Clocks,
	}
}

// Add takes in the damage of another segment.
func (d *Damage) Add(o Damage) {
	d.Refused += o.Refused
	d.Missing += o.Missing
	d.Backwards += o.Backwards
	d.Corrupt += o.Corrupt
	d.Concealed += o.Concealed
	d.Lost += o.Lost
	d.Clocks = d.Clocks || o.Clocks
	d.Truncated = d.Truncated || o.Truncated
}

// Warnings are sentences for a person; none where nothing was odd. All but that of times that do not rise say that a
// part of the video was not searched: see [Damage.Partial].
func (d Damage) Warnings() []string {
	w := d.Partial()
	switch {
	case d.Backwards == 1:
		w = append(w, "1 frame was left out because its time does not rise")
	case d.Backwards > 1:
		w = append(w, fmt.Sprintf("%d frames were left out because their times do not rise", d.Backwards))
	}
	return w
}

// Partial are the sentences that say what of the video was not searched; none where all was.
func (d Damage) Partial() []string {
	var w []string
	add := func(n int64, one, several string) {
		switch {
		case n == 1:
			w = append(w, one)
		case n > 1:
			w = append(w, fmt.Sprintf(several, n))
		}
	}
	add(d.Refused, "1 damaged packet could not be decoded", "%d damaged packets could not be decoded")
	add(d.Missing, "1 chosen frame could not be decoded", "%d chosen frames could not be decoded")
	add(d.Corrupt, "1 packet is incomplete", "%d packets are incomplete")
	add(d.Concealed, "1 frame is damaged", "%d frames are damaged")
	if d.Lost > 0 {
		w = append(w, fmt.Sprintf("%.1f s of the video cannot be read", max(d.Lost.Seconds(), 0.1)))
	}
	if d.Clocks {
		w = append(w, fmt.Sprintf("the clock starts anew more than %d times; what comes after was left out", maxClocks))
	}
	if d.Truncated {
		w = append(w, endsEarly)
	}
	return w
}
