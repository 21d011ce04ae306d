package service_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// endings is a store that has a word to say before a job ends.
type endings struct {
	service.Store
	before func()
}

func (e endings) EndJob(ctx context.Context, j *service.Job, n *service.Notice, keep time.Duration) (bool, error) {
	e.before()
	return e.Store.EndJob(ctx, j, n, keep)
}

// TestAttemptsDoNotMix has two processes finish one job at the same time, as when the first was thought dead and is not: it saves
// what it has found in the collection as it was, after the second has saved and before that one ends the job.
func TestAttemptsDoNotMix(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	anna := b.index("people", "anna", looks(1))
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	task, _ := b.take()
	for ; task.Kind != service.FinishTask; task, _ = b.take() {
		if err := b.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	matched, goOn, saved, ended := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})

	slow := b.ports()
	slow.Videos = &readVideos{matched: func() { close(matched); <-goOn }}
	slow.Store = endings{b.store, func() { close(saved); <-ended }}
	b.startOn(slow, service.DefaultSettings())
	first, done := b.Service, make(chan error)
	go func() { done <- first.Run(t.Context(), task) }()
	<-matched

	quick := b.ports()
	quick.Store = endings{b.store, func() { close(goOn); <-saved }}
	b.startOn(quick, service.DefaultSettings())
	if _, err := b.DeleteFaces(t.Context(), "people", anna); err != nil {
		t.Fatal(err)
	}
	b.index("people", "bella", looks(1, 0.05))
	if err := b.Run(t.Context(), b.again(task)); err != nil {
		t.Fatal(err)
	}
	close(ended)
	if err := <-done; err != nil {
		t.Errorf("the one that came late: %v", err)
	}
	for _, order := range []service.Order{service.ByTime, service.ByPerson} {
		for _, s := range b.pages(id, order, 0) {
			for _, h := range s.Hits {
				if h.Face.ExternalID != "bella" {
					t.Fatalf("%s is in the results of the attempt that has not ended the job", h.Face.ExternalID)
				}
			}
		}
	}
}

// TestResultsOfBefore reads results as they were saved before chunks said their form, and before there were attempts.
func TestResultsOfBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.results(0, "")
	page, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: id})
	if err != nil || len(page.Sightings) != 1 || page.Sightings[0].Time != 1500*time.Millisecond || len(page.Sightings[0].Hits) != 1 ||
		page.Sightings[0].Hits[0].Face.ExternalID != "a.1" {
		t.Errorf("%+v, %v", page, err)
	}
}

// TestResultsOfANewerForm are not read as if they were of an older one.
func TestResultsOfANewerForm(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]service.Kind{"\x00": service.Internal, "\x01": 255, "\x02": service.Elsewhere, "\xff": service.Elsewhere} {
		b := setup(t)
		_, err := b.Results(t.Context(), service.ResultRequest{Operation: service.FaceSearch, Job: b.results(7, version)})
		if (err == nil) != (want == 255) || err != nil && service.KindOf(err) != want {
			t.Errorf("of the form %q: %v", version, err)
		}
	}
}

// results are those of a job that has found one face, of an attempt, with something before each chunk.
func (b *bed) results(attempt int64, before string) service.JobID {
	b.t.Helper()
	const id = service.JobID("aa")
	ctx := b.t.Context()
	j := &service.Job{ID: id, Operation: service.FaceSearch, State: service.InProgress, Created: b.clock()}
	if _, err := b.store.CreateJob(ctx, j, service.Places{OfKey: 9, All: 9}, nil, service.Task{Kind: service.PlanTask, Job: id}); err != nil {
		b.t.Fatal(err)
	}
	seen, err := hex.DecodeString("002f685900000000" + "03000000" + "01000000" + strings.Repeat("0000003f", 20))
	if err != nil {
		b.t.Fatal(err)
	}
	const list = `[[{"Face":{"ID":"01000000-0000-0000-0000-000000000000","ExternalID":"a.1"},"Similarity":99.5}]]`
	var chunks []service.Chunk
	for kind, data := range []string{string(seen), string(seen), list} {
		chunks = append(chunks, service.Chunk{Kind: service.ChunkKind(kind), Data: []byte(before + data)})
	}
	if err := b.store.SaveChunks(ctx, id, attempt, chunks); err != nil {
		b.t.Fatal(err)
	}
	j.State, j.Finished = service.Succeeded, b.clock()
	j.Results = &service.Results{Sightings: 1, Persons: 1, Lists: 1, Attempt: attempt}
	if _, err := b.store.EndJob(ctx, j, nil, 0); err != nil {
		b.t.Fatal(err)
	}
	return id
}
