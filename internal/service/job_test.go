package service_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// clip shows two people in three segments.
func clip() testVideo {
	return testVideo{Times: 5, Segments: [][]testFace{{looks(1), looks(0, 1)}, {looks(1)}, {looks(0, 0, 1), looks(1, 0.1)}}}
}

func (b *bed) request(video service.Object) service.StartRequest {
	return service.StartRequest{
		Operation: service.FaceSearch, Video: video, Collection: "people", Tag: "tag", Topic: "known",
		Caller: service.Caller{Key: "key", Name: "arn:owner"},
	}
}

func (b *bed) begin(r service.StartRequest) service.JobID {
	b.t.Helper()
	id, err := b.StartJob(b.t.Context(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// pages reads all results of a job, page by page.
func (b *bed) pages(id service.JobID, o service.Order, most int) []service.JobSighting {
	b.t.Helper()
	var all []service.JobSighting
	r := service.ResultRequest{Operation: service.FaceSearch, Job: id, Order: o, Page: service.PageRequest{Max: most}}
	for {
		page, err := b.Results(b.t.Context(), r)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, page.Sightings...)
		if r.Page.Token = page.Next; page.Next == "" {
			return all
		}
	}
}

func TestFaceSearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	anna := b.index("people", "anna", looks(1))[0]
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	open, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: id})
	if err != nil || open.Job.State != service.InProgress || open.Job.Tag != "tag" || len(open.Sightings) != 0 {
		t.Errorf("before the work: %v, %v", open, err)
	}
	b.work()
	all := b.pages(id, service.ByTime, 0)
	if len(all) != 25 {
		t.Fatalf("%d sightings, want 25", len(all))
	}
	for _, s := range all {
		matched := s.Detection.Confidence == 99 && (s.Person == 0 || s.Person == 2 || s.Person == 4)
		if (len(s.Hits) == 1) != matched || matched && (s.Hits[0].Face.ID != anna || s.Hits[0].Face.ExternalID != "anna") {
			t.Errorf("person %d at %v matches %v", s.Person, s.Time, s.Hits)
		}
	}
	if d := cmp.Diff(all, b.pages(id, service.ByTime, 4)); d != "" {
		t.Error("pages of 4 hold something else:\n" + d)
	}
	byPerson := b.pages(id, service.ByPerson, 7)
	for i, s := range byPerson[1:] {
		if before := byPerson[i]; s.Person < before.Person || s.Person == before.Person && s.Time <= before.Time {
			t.Fatalf("person %d at %v comes after person %d at %v", s.Person, s.Time, before.Person, before.Time)
		}
	}
	notices, err := b.store.DueNotices(t.Context(), b.clock(), 10)
	if err != nil || len(notices) != 1 || notices[0].Job != id || notices[0].Tag != "tag" || b.woken != 1 {
		t.Errorf("notices %v, %v", notices, err)
	}
	_, err = b.Results(t.Context(), service.ResultRequest{Operation: service.FaceDetection, Job: id})
	wantKind(t, "asked as another operation", err, service.NotFound)
	b.advance(7*24*time.Hour + time.Second)
	_, err = b.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: id})
	wantKind(t, "after a week", err, service.NotFound)
	if err = b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err = b.store.Job(t.Context(), id); service.KindOf(err) != service.NotFound {
		t.Errorf("a swept job is there: %v", err)
	}
}

// TestInterruptions runs tasks more than once, in odd orders, and in new processes: the results stay the same.
func TestInterruptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	b.index("people", "anna", looks(1))
	video := b.objects.put("clip.mp4", clip())
	id := b.begin(b.request(video))
	b.work()
	want := b.pages(id, service.ByTime, 0)
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		id := b.begin(b.request(video))
		var done []service.Task
		for {
			task, more := b.take()
			if !more {
				break
			}
			if err := b.Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
			done = append(done, task)
			for range random.IntN(3) { // what had been done before comes again
				if err := b.Run(t.Context(), done[random.IntN(len(done))]); err != nil {
					t.Fatal(err)
				}
			}
			if random.IntN(3) == 0 {
				b.start()
			}
		}
		if d := cmp.Diff(want, b.pages(id, service.ByTime, 0)); d != "" {
			t.Fatalf("seed %d gives other results:\n%s", seed, d)
		}
	}
	notices, err := b.store.DueNotices(t.Context(), b.clock(), 100)
	if err != nil || len(notices) != 21 {
		t.Errorf("%d notices of 21 jobs, %v", len(notices), err)
	}
}

func TestStartJobOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	r := b.request(b.objects.put("clip.mp4", clip()))
	r.Token = "token"
	ids := make([]service.JobID, 20)
	var group sync.WaitGroup
	for i := range ids {
		group.Go(func() {
			id, err := b.StartJob(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			ids[i] = id
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("jobs %s and %s for one token", id, ids[0])
		}
	}
	b.work()
	if again := b.begin(r); again != ids[0] {
		t.Error("another job when the first has ended")
	}
	if notices, err := b.store.DueNotices(t.Context(), b.clock(), 10); err != nil || len(notices) != 1 {
		t.Errorf("%d notices, %v", len(notices), err)
	}
	r.Tag = "other"
	_, err := b.StartJob(t.Context(), r)
	wantKind(t, "other input", err, service.TokenReused)
	b.advance(7*24*time.Hour + time.Second)
	if later := b.begin(r); later == ids[0] {
		t.Error("the token still holds after a week")
	}
}

func TestStartJobRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *service.Settings) { s.OpenJobs, s.MaxVideo = 2, 10_000 })
	b.collection("people")
	video := b.objects.put("clip.mp4", clip())
	b.objects.size["large.mp4"] = 10_001
	b.objects.put("large.mp4", clip())
	for name, c := range map[string]struct {
		change func(*service.StartRequest)
		want   service.Kind
		says   string
	}{
		"no collection": {func(r *service.StartRequest) { r.Collection = "nobody" }, service.NotFound, "nobody does not exist"},
		"no object":     {func(r *service.StartRequest) { r.Video.Key = "none.mp4" }, service.BadObject, ""},
		"too large": {
			func(r *service.StartRequest) { r.Video.Key = "large.mp4" }, service.VideoTooLarge,
			"Video size in bytes: 10001 is more than the maximum limit of: 10000 bytes.",
		},
		"no such topic": {func(r *service.StartRequest) { r.Topic = "unknown" }, service.Invalid, "unknown"},
	} {
		r := b.request(video)
		c.change(&r)
		_, err := b.StartJob(t.Context(), r)
		if wantKind(t, name, err, c.want); err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.begin(b.request(video))
	b.begin(b.request(video))
	_, err := b.StartJob(t.Context(), b.request(video))
	wantKind(t, "third open job", err, service.TooManyJobs)
	if want := "3  open Jobs for User arn:owner. Maximum limit: 2"; err == nil || err.Error() != want {
		t.Errorf("says %v, want %s", err, want)
	}
}

func TestJobsThatFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		video  testVideo
		before func(b *bed) // between the start and the work
		says   string
	}{
		"broken video": {testVideo{Broken: "Unsupported codec/format."}, func(*bed) {}, "Unsupported codec/format."},
		"object replaced": {clip(), func(b *bed) {
			b.objects.put("clip.mp4", testVideo{Segments: [][]testFace{{looks(1)}}, Times: 1})
		}, "The object was replaced."},
		"collection deleted": {clip(), func(b *bed) {
			if err := b.DeleteCollection(b.t.Context(), "people"); err != nil {
				b.t.Error(err)
			}
		}, "The collection people was deleted before the search was done."},
		"collection deleted while it is matched": {clip(), func(b *bed) {
			b.videos.matched = func() {
				if err := b.DeleteCollection(b.t.Context(), "people"); err != nil {
					b.t.Error(err)
				}
			}
		}, "The collection people was deleted before the search was done."},
		"collection made anew": {clip(), func(b *bed) {
			if err := b.DeleteCollection(b.t.Context(), "people"); err != nil {
				b.t.Error(err)
			}
			b.collection("people")
		}, "The collection people was deleted before the search was done."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.collection("people")
			id := b.begin(b.request(b.objects.put("clip.mp4", c.video)))
			c.before(b)
			b.work()
			page, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: id})
			if err != nil || page.Job.State != service.Failed || page.Job.Message != c.says {
				t.Errorf("job is %v and says %q, %v", page.Job.State, page.Job.Message, err)
			}
			if notices, err := b.store.DueNotices(t.Context(), b.clock(), 10); err != nil || len(notices) != 1 {
				t.Errorf("%d notices, %v", len(notices), err)
			}
		})
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	video := clip()
	video.Passing = 1
	id := b.begin(b.request(b.objects.put("clip.mp4", video)))
	plan, _ := b.take()
	if err := b.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	task, _ := b.take()
	wantKind(t, "first attempt", b.Run(t.Context(), task), service.Unavailable)
	if err := b.Run(t.Context(), task); err != nil {
		t.Errorf("second attempt: %v", err)
	}
	if err := b.GiveUp(t.Context(), task, service.Errorf(service.Unavailable, "The disk is busy.")); err != nil {
		t.Fatal(err)
	}
	if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.Failed || j.Message != "The disk is busy." {
		t.Errorf("given up: %v, %v", j, err)
	}
	if err := b.GiveUp(t.Context(), task, errors.New("again")); err != nil {
		t.Errorf("given up twice: %v", err)
	}
}

func TestCancelJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	b.videos.block, b.videos.waits = make(chan struct{}), make(chan struct{}) // segments never end by themselves
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	plan, _ := b.take()
	if err := b.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	task, _ := b.take()
	ended := make(chan error)
	go func() { ended <- b.Run(t.Context(), task) }()
	<-b.videos.waits
	wantKind(t, "deleting an open job", b.DeleteJob(t.Context(), id), service.Invalid)
	if err := b.CancelJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the task that was running ended with %v", err)
	}
	wantKind(t, "cancelling twice", b.CancelJob(t.Context(), id), service.Invalid)
	list, err := b.Jobs(t.Context(), service.Failed, service.PageRequest{})
	if err != nil || len(list.Jobs) != 1 || list.Jobs[0].Message != "The job was cancelled." {
		t.Errorf("failed jobs %v, %v", list, err)
	}
	if err := b.DeleteJob(t.Context(), id); err != nil {
		t.Error(err)
	}
	wantKind(t, "deleting twice", b.DeleteJob(t.Context(), id), service.NotFound)
}

// TestCancelJobOfAnotherProcess ends a job behind the back of the process that works on it.
func TestCancelJobOfAnotherProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	b.videos.block, b.videos.waits = make(chan struct{}), make(chan struct{})
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	plan, _ := b.take()
	if err := b.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	task, _ := b.take()
	ended := make(chan error)
	worker := b.Service
	go func() { ended <- worker.Run(t.Context(), task) }()
	<-b.videos.waits
	b.start() // the other process
	if err := b.CancelJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the task that was running ended with %v", err)
		}
	case <-ctx.Done():
		t.Fatal("the task goes on though its job has ended")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.woken != 2 {
		t.Errorf("%d processes look for notices, want both", b.woken)
	}
}

func TestMatchesOutliveFaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	anna := b.index("people", "anna", looks(1))
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	b.work()
	want := b.pages(id, service.ByTime, 0)
	if _, err := b.DeleteFaces(t.Context(), "people", anna); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, b.pages(id, service.ByTime, 0)); d != "" || len(want[0].Hits) != 1 {
		t.Errorf("results changed with the collection:\n%s", d)
	}
}

func TestEndOfAJobWithAnUnknownTopicIsLogged(t *testing.T) {
	t.Parallel()
	for topic, want := range map[string]bool{"nobody": true, "known": false, "": false} {
		t.Run("topic "+topic, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(s *service.Settings) { s.AcceptUnknownTopics = true })
			b.collection("people")
			r := b.request(b.objects.put("clip.mp4", clip()))
			r.Topic = topic
			id := b.begin(r)
			b.work()
			told := strings.Contains(b.log(), "nobody is told of the end of a job") &&
				strings.Contains(b.log(), "job_id="+string(id)+" topic=nobody")
			if told != want {
				t.Errorf("logged: %s", b.log())
			}
			notices, err := b.store.DueNotices(t.Context(), b.clock(), 10)
			if err != nil || len(notices) != map[bool]int{true: 1}[topic == "known"] {
				t.Errorf("%d notices, %v", len(notices), err)
			}
		})
	}
}

func TestFaceDetectionMatchesNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())})
	b.work()
	page, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceDetection, Job: id})
	if err != nil || len(page.Sightings) != 25 || page.Sightings[0].Hits != nil {
		t.Errorf("%d sightings, %v", len(page.Sightings), err)
	}
}

func TestFaceDetectionSaysWhatFacesLookLike(t *testing.T) {
	t.Parallel()
	b := setup(t)
	video := clip()
	video.Times = 120 // some chunks
	id := b.begin(service.StartRequest{
		Operation: service.FaceDetection, Attributes: true, Video: b.objects.put("clip.mp4", video),
	})
	b.work()
	r := service.ResultRequest{Operation: service.FaceDetection, Job: id, Page: service.PageRequest{Max: 77}}
	for n := 0; ; {
		page, err := b.Results(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Sightings {
			if s.Attributes == nil || s.Attributes.Age.Low != n {
				t.Fatalf("sighting %d has the attributes %v", n, s.Attributes)
			}
			n++
		}
		if r.Page.Token = page.Next; page.Next == "" {
			if n != 600 {
				t.Errorf("%d sightings, want 600", n)
			}
			return
		}
	}
}

// TestALongVideoLetsAShortOneBy: a job has no more segments in the queue than it may, and all are analysed in the end.
func TestALongVideoLetsAShortOneBy(t *testing.T) {
	t.Parallel()
	for _, length := range []int{1, 3, 4, 5, 40} {
		b := setup(t, func(s *service.Settings) { s.SegmentsAhead = 4 })
		b.collection("people")
		long := testVideo{Times: 1}
		for range length {
			long.Segments = append(long.Segments, []testFace{looks(1)})
		}
		first := b.begin(b.request(b.objects.put("long.mp4", long)))
		if task, _ := b.take(); b.Run(t.Context(), task) != nil || len(b.tasks) != min(length, 4) {
			t.Fatalf("%d segments of %d are in the queue", len(b.tasks), length)
		}
		second := b.begin(b.request(b.objects.put("short.mp4", testVideo{Segments: [][]testFace{{looks(1)}}, Times: 1})))
		for range 10 { // four segments, the plan, four more, the short one's own
			if task, more := b.take(); more && b.Run(t.Context(), task) != nil {
				t.Fatal("a task fails")
			}
		}
		short, err := b.store.Job(t.Context(), second)
		if err != nil || short.SegmentsDone != 1 {
			t.Errorf("beside %d segments the short video waits: %d done, %v", length, short.SegmentsDone, err)
		}
		b.work()
		for _, id := range []service.JobID{first, second} {
			if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.Succeeded {
				t.Errorf("of %d segments: %v, %v", length, j.State, err)
			}
		}
		if n := len(b.pages(first, service.ByTime, 0)); n != length {
			t.Errorf("%d sightings in %d segments", n, length)
		}
	}
}

// TestWhatIsWrongBecauseAProcessStopsEndsNoJob: whatever a task that is cut short says of its video, it is run again.
func TestWhatIsWrongBecauseAProcessStopsEndsNoJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	world := b.ports()
	ctx, stop := context.WithCancel(t.Context())
	world.Videos, world.Store = stoppedVideos{b.videos, stop}, heedless{b.store}
	b.startOn(world, service.DefaultSettings())
	id := b.begin(service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())})
	task, _ := b.take()
	if err := b.Run(ctx, task); err == nil {
		t.Error("the task counts as done")
	}
	if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.InProgress {
		t.Errorf("the job is %v, %v", j.State, err)
	}
}

// heedless is a store that ends a job though its caller has left: what is cancelled may be too late to be noticed.
type heedless struct{ service.Store }

func (h heedless) EndJob(ctx context.Context, j *service.Job, n *service.Notice, keep time.Duration) (bool, error) {
	return h.Store.EndJob(context.WithoutCancel(ctx), j, n, keep)
}

// stoppedVideos finds every video broken when the process stops.
type stoppedVideos struct {
	*readVideos
	stop func()
}

func (s stoppedVideos) Under([]byte) (service.Eyes, error) { return s, nil }

func (s stoppedVideos) Plan(context.Context, service.VideoFile) (*service.JobPlan, error) {
	s.stop()
	return nil, service.Errorf(service.Invalid, "Unsupported codec/format.")
}

// TestTermsAreThoseOfTheStart: a process that is set up in another way does what the one that began the job would have done.
func TestTermsAreThoseOfTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t, func(s *service.Settings) { s.MaxMatches = 2 })
	b.collection("people")
	for _, name := range []string{"anna", "anne", "annie"} {
		b.index("people", name, looks(1, float32(len(name))/100))
	}
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	other := b.ports()
	other.Knows = func(string) bool { return false } // as a worker without the topics in its file
	settings := service.DefaultSettings()
	settings.MaxMatches = 1
	b.startOn(other, settings)
	b.work()
	if hits := b.pages(id, service.ByTime, 0)[0].Hits; len(hits) != 2 {
		t.Errorf("%d matches are listed, want the two of the start", len(hits))
	}
	if notices, err := b.store.DueNotices(t.Context(), b.clock(), 10); err != nil || len(notices) != 1 {
		t.Errorf("%d notices, %v", len(notices), err)
	}
	if strings.Contains(b.log(), "nobody is told") {
		t.Error("it is said that nobody is told:\n" + b.log())
	}
}

// TestAnotherProcessIsNeeded: one that cannot keep a job's terms, or finds its own models not to be those of the collection, leaves it.
func TestAnotherProcessIsNeeded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	able := b.Service
	other := b.ports()
	other.Videos = otherVideos{b.videos}
	other.Model.ID = "other@1.0"
	b.startOn(other, service.DefaultSettings())
	for {
		task, more := b.take()
		if !more {
			break
		}
		wantKind(t, "with other eyes", b.Run(t.Context(), task), service.Elsewhere)
		if err := able.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.Succeeded {
		t.Errorf("the job is %v and says %q, %v", j.State, j.Message, err)
	}
}

// otherVideos has none of the eyes that are asked for.
type otherVideos struct{ *readVideos }

func (otherVideos) Under(terms []byte) (service.Eyes, error) {
	return nil, service.Errorf(service.Elsewhere, "other eyes are needed: %s", terms)
}

// newerStore gives jobs that a newer process has begun.
type newerStore struct{ service.Store }

func (n newerStore) Job(ctx context.Context, id service.JobID) (*service.Job, error) {
	j, err := n.Store.Job(ctx, id)
	if err == nil {
		j.Terms = &service.Terms{Version: service.TermsVersion + 1}
	}
	return j, err
}

func TestNewerTermsAreLeftToANewerProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.begin(service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())})
	world := b.ports()
	world.Store = newerStore{b.store}
	b.startOn(world, service.DefaultSettings())
	task, _ := b.take()
	wantKind(t, "newer terms", b.Run(t.Context(), task), service.Elsewhere)
}
