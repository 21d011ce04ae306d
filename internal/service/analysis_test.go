package service_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/service"
)

// TestAVideoIsLookedAtOnce searches a video again, and asks otherwise about it: nothing is looked at again, and the answers are those of a service
// that keeps nothing.
func TestAVideoIsLookedAtOnce(t *testing.T) {
	t.Parallel()
	kept, fresh := setup(t), setup(t, keepsNothing)
	answers := map[*bed][][]service.JobSighting{}
	for _, b := range []*bed{kept, fresh} {
		b.collection("people")
		b.index("people", "anna", looks(1))
		video := b.objects.put("clip.mp4", clip())
		for n, r := range []service.StartRequest{
			b.request(video), b.request(video), {Operation: service.FaceDetection, Video: video}, {Operation: service.PersonTracking, Video: video},
		} {
			id := b.begin(r)
			if n == 1 { // who is enrolled later is found in what was looked at before
				b.index("people", "bella", looks(0, 1))
			}
			b.work()
			answers[b] = append(answers[b], b.found(id, r.Operation))
		}
	}
	if kept.videos.analysed != 3 || fresh.videos.analysed != 4*3 {
		t.Errorf("%d segments were looked at where that is kept, %d where it is not", kept.videos.analysed, fresh.videos.analysed)
	}
	if diff := cmp.Diff(answers[fresh], answers[kept]); diff != "" {
		t.Errorf("answers (-fresh +kept):\n%s", diff)
	}
	if cmp.Equal(answers[kept][0], answers[kept][1]) {
		t.Error("who was enrolled later is not found")
	}
}

func keepsNothing(s *service.Settings) { s.KeepAnalyses = 0 }

// found is everything that a job has found.
func (b *bed) found(id service.JobID, o service.Operation) []service.JobSighting {
	b.t.Helper()
	page, err := b.Results(b.t.Context(), service.ResultRequest{Operation: o, Job: id})
	if err != nil || page.Next != "" {
		b.t.Fatalf("%+v, %v", page, err)
	}
	return page.Sightings
}

// TestWhatDecidesAnAnalysis: another object, another state of it, attributes, or other settings are looked at anew.
func TestWhatDecidesAnAnalysis(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(b *bed, r *service.StartRequest){
		"nothing":        func(*bed, *service.StartRequest) {},
		"another object": func(b *bed, r *service.StartRequest) { r.Video = b.objects.put("other.mp4", clip()) },
		"its content": func(b *bed, r *service.StartRequest) {
			other := clip() // of the same size
			other.Times--
			r.Video = b.objects.put("clip.mp4", other)
		},
		"attributes": func(_ *bed, r *service.StartRequest) { r.Attributes = true },
		"time":       func(b *bed, _ *service.StartRequest) { b.advance(service.DefaultSettings().KeepAnalyses + time.Second) },
		"a deletion": func(b *bed, _ *service.StartRequest) {
			list, err := b.Jobs(b.t.Context(), "", service.PageRequest{})
			if err == nil {
				err = b.DeleteJob(b.t.Context(), list.Jobs[0].ID)
			}
			if err != nil {
				b.t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())}
			b.begin(r)
			b.work()
			before := b.videos.analysed
			change(b, &r)
			b.begin(r)
			b.work()
			if again := b.videos.analysed > before; again == (what == "nothing") {
				t.Errorf("looked at anew: %v", again)
			}
		})
	}
}

// TestTwoJobsShareTheWork has three jobs on one video at the same time. The first is cancelled, once before and once after all segments are there.
func TestTwoJobsShareTheWork(t *testing.T) {
	t.Parallel()
	for cancelAfter, want := range map[int]int{1: 1 + 3, 3: 3, 4: 3} {
		b := setup(t)
		r := service.StartRequest{Operation: service.FaceDetection, Video: b.objects.put("clip.mp4", clip())}
		ids := []service.JobID{b.begin(r), b.begin(r), b.begin(r)}
		for b.videos.analysed < min(cancelAfter, 3) {
			if task, _ := b.take(); b.Run(t.Context(), task) != nil {
				t.Fatalf("%+v fails", task)
			}
		}
		if cancelAfter <= 3 {
			if err := b.CancelJob(t.Context(), ids[0]); err != nil {
				t.Fatal(err)
			}
		}
		b.work()
		for n, id := range ids {
			j, err := b.store.Job(t.Context(), id)
			if err != nil || j.State == service.InProgress || n > 0 && j.State != service.Succeeded {
				t.Fatalf("job %d is %v, %v", n, j.State, err)
			}
			if n > 0 && len(b.found(id, r.Operation)) != 25 {
				t.Errorf("job %d has found %d faces", n, len(b.found(id, r.Operation)))
			}
		}
		if b.videos.analysed != want {
			t.Errorf("cancelled after %d segments: %d were looked at, want %d", cancelAfter, b.videos.analysed, want)
		}
	}
}
