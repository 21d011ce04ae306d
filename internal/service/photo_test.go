package service_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

// slowObjects is a bucket whose photos are in memory until done says so.
type slowObjects struct {
	service.Objects

	read chan struct{}
}

func (o slowObjects) Read(context.Context, service.Object, int64) ([]byte, error) {
	o.read <- struct{}{}
	return []byte("[]"), nil
}

// slowPhotos looks at photos until done is closed.
type slowPhotos struct {
	readPhotos

	done chan struct{}
}

func (p slowPhotos) Look(ctx context.Context, image []byte, want service.Wanted) ([]service.PhotoFace, error) {
	<-p.done
	return p.readPhotos.Look(ctx, image, want)
}

func TestPhotosOfBucketsWaitOutsideOfMemory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const requests, atOnce = 100, 64
	objects, photos := slowObjects{read: make(chan struct{}, requests)}, slowPhotos{done: make(chan struct{})}
	world := b.ports()
	world.Objects, world.Photos = objects, photos
	b.startOn(world, service.DefaultSettings())
	image := service.Image{Object: &service.Object{Bucket: "media", Key: "a.jpg"}}
	var wait sync.WaitGroup
	for range requests {
		wait.Go(func() {
			if _, err := b.DetectFaces(t.Context(), image, false); err != nil {
				t.Error(err)
			}
		})
	}
	for len(objects.read) < atOnce {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // more would come now
	if n := len(objects.read); n != atOnce {
		t.Errorf("%d photos are in memory", n)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := b.DetectFaces(late, image, false); err == nil {
		t.Error("waited for longer than the caller")
	}
	close(photos.done)
	wait.Wait()
	if n := len(objects.read); n != requests {
		t.Errorf("%d photos have been read", n)
	}
}

// deletingPhotos lets somebody do something while a photo is being looked at.
type deletingPhotos struct {
	readPhotos

	do func()
}

func (p deletingPhotos) Look(ctx context.Context, image []byte, want service.Wanted) ([]service.PhotoFace, error) {
	p.do()
	return p.readPhotos.Look(ctx, image, want)
}

func TestCollectionGoesWhileAPhotoIsLookedAt(t *testing.T) {
	t.Parallel()
	for name, search := range map[string]func(*bed) error{
		"faces": func(b *bed) error {
			_, err := b.SearchFacesByImage(t.Context(), "people", photoOf(looks(1)), "", service.Search{})
			return err
		},
		"users": func(b *bed) error {
			_, err := b.SearchUsersByImage(t.Context(), "people", photoOf(looks(1)), "", service.Search{})
			return err
		},
	} {
		b := setup(t)
		if _, err := b.CreateCollection(t.Context(), "people", nil); err != nil {
			t.Fatal(err)
		}
		world := b.ports()
		world.Photos = deletingPhotos{do: func() {
			if err := b.DeleteCollection(t.Context(), "people"); err != nil {
				t.Error(err)
			}
		}}
		b.startOn(world, service.DefaultSettings())
		if err := search(b); service.KindOf(err) != service.NotFound || err.Error() != "The collection id: people does not exist" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
