package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/video"
)

// stored gives the service eyes for stored videos.
type stored struct {
	*Engine
	// builds are the decoders that work, the usual one first.
	builds []string
	// awsFormats takes only what AWS does: H.264 in MP4 or MOV.
	awsFormats bool
	// planning has one for each video that is being looked at.
	planning chan struct{}
}

// plansAtOnce is how many videos are looked at side by side to be cut: it takes a second or so of one core, and must not take
// all of them from videos that are being searched.
const plansAtOnce = 2

// Videos gives a service eyes for stored videos, which with awsFormats take only what AWS does: H.264 in MP4 or MOV. Usable says
// whether videos can be decoded here; where they cannot, all that the eyes can do is finish.
func (e *Engine) Videos(ctx context.Context, awsFormats bool) (_ service.Videos, usable bool) {
	health := e.decoder.Check(ctx)
	return newStored(e, health.Builds, awsFormats), health.Usable
}

func newStored(e *Engine, builds []string, awsFormats bool) *stored {
	return &stored{Engine: e, builds: builds, awsFormats: awsFormats, planning: make(chan struct{}, plansAtOnce)}
}

// eyes are those for one job: what decides its results is not this process's, but the job's.
type eyes struct {
	*stored
	by         pipeline
	awsFormats bool
}

// Plan implements [service.Eyes].
func (s *eyes) Plan(ctx context.Context, f service.VideoFile) (*service.JobPlan, error) {
	turn := turn{slots: s.planning}
	if err := turn.take(ctx); err != nil {
		return nil, err
	}
	defer turn.give()
	// Who waits for a bucket, which may be slow, does not keep others from planning.
	decoder := s.by.decoder.Fetching(func(ctx context.Context, from, to int64) (int64, error) {
		turn.give()
		end, err := f.Fetch(ctx, from, to)
		return end, errors.Join(err, turn.take(ctx))
	})
	plan, err := onceMore(ctx, func() (*video.Plan, error) { return decoder.Plan(ctx, f.File()) })
	if err != nil {
		return nil, videoError(err)
	}
	if s.awsFormats && (plan.Info.Codec != "h264" || plan.Info.Format != "QuickTime / MOV") {
		return nil, service.Errorf(service.Invalid, "Unsupported codec/format. The video is %s in %s; this server is set to "+
			"take H.264 in MP4 or MOV only, as AWS does.", plan.Info.Codec, plan.Info.Format)
	}
	data, err := encodePlan(plan)
	if err != nil {
		return nil, err
	}
	return &service.JobPlan{
		Info: plan.Info, Segments: len(plan.Segments), Data: data,
		Warnings: append(plan.Warnings, plan.Damage.Warnings()...),
	}, nil
}

// turn is one of some slots, taken or not. One goroutine uses it.
type turn struct {
	slots chan struct{}
	taken bool
}

func (t *turn) take(ctx context.Context) error {
	select {
	case t.slots <- struct{}{}:
		t.taken = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *turn) give() {
	if t.taken {
		<-t.slots
		t.taken = false
	}
}

// Segment implements [service.Eyes].
func (s *eyes) Segment(
	ctx context.Context, f service.VideoFile, p *service.JobPlan, n int, attributes bool,
) ([]byte, error) {
	plan, err := decodePlan(p.Data)
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= len(plan.Segments) {
		return nil, fmt.Errorf("the plan has %d segments, not %d", len(plan.Segments), n+1)
	}
	rec, err := s.recognizers.take(ctx)
	if err != nil {
		return nil, err
	}
	defer s.recognizers.give(rec)
	workers := s.recognizers.size()
	by := s.by
	by.decoder = by.decoder.Fetching(f.Fetch)
	found, damage, err := by.analyse(ctx, rec, &segment{
		Segment: plan.Segments[n], plan: plan, file: f.File(), attributes: attributes,
		lookahead: lookahead(workers, workers), // there are others, if not of this video
	})
	if err != nil {
		return nil, videoError(err)
	}
	return encodeSegment(&segmentData{Tracklets: *found, Damage: damage})
}

// Finish implements [service.Eyes].
func (s *eyes) Finish(
	ctx context.Context, p *service.JobPlan, segment func(int) ([]byte, error), m service.Matching,
) (*service.Found, error) {
	tracklets, missing, err := readSegments(p, segment)
	if err != nil {
		return nil, err
	}
	in := search.Matching{Gallery: m.Gallery, Threshold: m.Threshold, MaxMatches: m.MaxMatches, People: m.People}
	if m.Gallery == nil {
		in.Gallery = nobody{}
	}
	result, err := s.by.finish(ctx, tracklets, in)
	if err != nil {
		return nil, err
	}
	return &service.Found{
		Sightings: result.Sightings, Persons: result.Persons, Message: Message(missing, []string{sideways(result.Turn)}),
	}, nil
}

// readSegments reads what the segments of a video gave, and says in sentences what of the video was not searched.
func readSegments(
	p *service.JobPlan, segment func(int) ([]byte, error),
) (tracklets []*search.Tracklets, missing []string, err error) {
	plan, err := decodePlan(p.Data)
	if err != nil {
		return nil, nil, err
	}
	tracklets = make([]*search.Tracklets, p.Segments)
	damage := plan.Damage
	for n := range tracklets {
		encoded, err := segment(n)
		if err != nil {
			return nil, nil, err
		}
		data, err := decodeSegment(encoded)
		if err != nil {
			return nil, nil, fmt.Errorf("segment %d: %w", n, err)
		}
		damage.Add(data.Damage)
		tracklets[n] = &data.Tracklets
	}
	missing = damage.Partial()
	if n := len(plan.Videos); n > 1 {
		missing = append(missing, fmt.Sprintf("the file has %d video tracks, and only track %d was searched", n,
			slices.Index(plan.Videos, plan.Track.Stream)+1))
	}
	return tracklets, missing, nil
}

// nobody is a gallery without faces.
type nobody struct{}

// Search finds nothing.
func (nobody) Search(_ context.Context, probes []face.Probe) ([][]face.Hit, error) {
	return make([][]face.Hit, len(probes)), nil
}

// videoError says in the service's words why a video cannot be searched. What is the video's own fault will not pass, and
// neither will a crash or a time limit, which the same file meets again; that somebody has killed the decoder may, or that the
// machine has run out of something.
func videoError(err error) error {
	failure := (*video.Error)(nil)
	if !errors.As(err, &failure) {
		return err
	}
	switch failure.Kind {
	case video.Killed, video.Exhausted:
		return &service.Error{Kind: service.Unavailable, Message: failure.Reason, Err: failure.Err}
	case video.Unavailable:
		return &service.Error{Kind: service.Unavailable, Message: "The decoder is not available.", Err: err}
	case video.Unsupported, video.NoVideo, video.Invalid:
		// AWS is known to say nothing else of a file that it cannot read, whatever the reason; clients look for it.
		return &service.Error{Kind: service.Invalid, Message: "Unsupported codec/format. " + failure.Reason, Err: failure.Err}
	default:
		return &service.Error{Kind: service.Invalid, Message: failure.Reason, Err: failure.Err}
	}
}
