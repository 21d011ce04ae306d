package bucket_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/spotter-video/spotter/internal/bucket"
)

func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err = os.WriteFile(filepath.Join(folder, "clip.mp4"), []byte("a film"), 0o600); err != nil {
		log.Fatal(err)
	}

	buckets, err := bucket.New(bucket.Config{
		Buckets: map[string]bucket.Source{"films": bucket.Folder{Path: folder}},
		Limits:  bucket.DefaultLimits(),
		Now:     time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = buckets.Close() }()

	ctx := context.Background()
	clip := bucket.Object{Bucket: "films", Key: "clip.mp4"}
	pinned, err := buckets.Stat(ctx, clip) // when the work is ordered
	if err != nil {
		log.Fatal(err)
	}
	file, err := buckets.Open(ctx, clip, pinned) // when it is done
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	start := make([]byte, 6)
	if _, err := file.Fetch(ctx, 0, int64(len(start))); err != nil {
		log.Fatal(err)
	}
	if _, err := file.File().ReadAt(start, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, as it was pinned: %v\n", start, file.Verify(ctx) == nil)
	// Output: a film, as it was pinned: true
}
