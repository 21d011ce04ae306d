package recognizer_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// A worker loads the pack and the library once, makes a recognizer, and enrols photos with it.
func Example() {
	enrol := func(ctx context.Context, photo *face.Picture) (err error) {
		pack, err := recognizer.LoadPack("models/default")
		if err != nil {
			return err
		}
		runtime, err := recognizer.NewRuntime("", pack.Dir())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, runtime.Close()) }()
		r, err := runtime.New(pack, recognizer.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, r.Close()) }()
		f, _, err := r.Enrol(ctx, photo)
		if refused := new(recognizer.RefusedError); errors.As(err, &refused) {
			fmt.Println("not enrolled:", refused.Reason)
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Println(f.Sample.Embedding.Model, f.Height)
		return nil
	}
	_ = enrol
}

// What a face looks like is told of a detection and its picture. A pack that cannot tell something leaves it nil.
func ExampleRecognizer_Attributes() {
	describe := func(ctx context.Context, r *recognizer.Recognizer, photo *face.Picture) error {
		faces, err := r.Faces(ctx, photo)
		if err != nil {
			return err
		}
		for i := range faces {
			a, err := r.Attributes(ctx, photo, &faces[i].Detection)
			if err != nil {
				return err
			}
			if a.Age != nil {
				fmt.Printf("%d to %d years\n", a.Age.Low, a.Age.High)
			}
			if len(a.Emotions) > 0 {
				fmt.Printf("%s, %.0f %%\n", a.Emotions[0].Type, a.Emotions[0].Confidence)
			}
		}
		return nil
	}
	_ = describe
}
