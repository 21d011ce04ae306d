package service_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// flaky is a store that counts how often faces are read, and fails at the first time.
type flaky struct {
	service.Store
	fails error
	reads int
}

func (f *flaky) Faces(ctx context.Context, c service.Serial, q service.FaceQuery) ([]service.Face, error) {
	if f.reads++; f.reads == 1 {
		return nil, f.fails
	}
	return f.Store.Faces(ctx, c, q)
}

// asking wants to know of which persons all faces of the collection are.
type asking struct {
	*readVideos
	ids   []face.ID
	named map[face.ID]string
}

func (a *asking) Under([]byte) (service.Eyes, error) { return a, nil }

func (a *asking) Finish(
	ctx context.Context, p *service.JobPlan, segment func(int) ([]byte, error), m service.Matching,
) (*service.Found, error) {
	var err error
	if a.named, err = m.People(ctx, a.ids); err != nil {
		return nil, err
	}
	return a.readVideos.Finish(ctx, p, segment, m)
}

// TestPersonsAreReadTogetherOrNotAtAll: a store that fails for a moment must not make another person of somebody, and is not asked for
// each face.
func TestPersonsAreReadTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.collection("people")
	anna := b.index("people", "anna", looks(1))[0]
	again := b.index("people", "anna", looks(1, 0.1))[0]
	nameless := b.index("people", "", looks(0, 1))[0]
	users := b.index("people", "bella", looks(0, 0, 1))
	if err := b.CreateUser(t.Context(), "people", "bella-1", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := b.AssociateFaces(t.Context(), service.AssociateRequest{Collection: "people", User: "bella-1", IDs: users}); err != nil {
		t.Fatal(err)
	}
	store := &flaky{Store: b.store, fails: errors.New("connection lost")}
	eyes := &asking{readVideos: b.videos, ids: []face.ID{anna, again, nameless, users[0]}}
	world := b.ports()
	world.Store, world.Videos = store, eyes
	b.startOn(world, service.DefaultSettings())
	id := b.begin(b.request(b.objects.put("clip.mp4", clip())))
	task, _ := b.take()
	for ; task.Kind != service.FinishTask; task, _ = b.take() {
		if err := b.Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Run(t.Context(), task); !errors.Is(err, store.fails) {
		t.Errorf("the store has failed, and the task says %v", err)
	}
	store.reads = 1
	if err := b.Run(t.Context(), b.again(task)); err != nil {
		t.Fatal(err)
	}
	want := map[face.ID]string{anna: "name anna", again: "name anna", users[0]: "user bella-1"}
	if d := cmp.Diff(want, eyes.named); d != "" {
		t.Error("persons (-want +got):\n" + d)
	}
	if store.reads != 3 { // once for the persons, and once for the match lists
		t.Errorf("faces were read %d times", store.reads-1)
	}
	if j, err := b.store.Job(t.Context(), id); err != nil || j.State != service.Succeeded {
		t.Errorf("the job is %v, %v", j.State, err)
	}
}
