package gallery_test

import (
	"context"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

func Example() {
	// Three faces in a space of two dimensions; real embeddings have some hundred.
	g, err := gallery.New(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = g.Close() }()
	err = g.Add([]face.ID{{1}, {2}, {3}}, []float32{
		1, 0,
		0.6, 0.8,
		0, 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	hits, err := g.Search(context.Background(), []face.Probe{
		{Vector: []float32{0.8, 0.6}, MinScore: 0.7, Limit: 10},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hit := range hits[0] {
		fmt.Printf("%s %.2f\n", hit.ID, hit.Score)
	}
	// Output:
	// 02000000-0000-0000-0000-000000000000 0.96
	// 01000000-0000-0000-0000-000000000000 0.80
}
