package bucket_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/spotter-video/spotter/internal/bucket"
	"github.com/spotter-video/spotter/internal/testkit/s3server"
)

// BenchmarkDownload downloads a quarter of a gigabyte from a server on the same machine, each time anew; reopening it
// while it is kept is the other figure.
func BenchmarkDownload(b *testing.B) {
	const size = 256 << 20
	server := s3server.Start(b)
	c := client(server)
	if _, err := c.CreateBucket(b.Context(), &s3.CreateBucketInput{Bucket: aws.String("films")}); err != nil {
		b.Fatal(err)
	}
	if _, err := c.PutObject(b.Context(), &s3.PutObjectInput{
		Bucket: aws.String("films"), Key: aws.String("x"), Body: bytes.NewReader(make([]byte, size)),
	}); err != nil {
		b.Fatal(err)
	}
	for name, keep := range map[string]bool{"anew": false, "kept": true} {
		b.Run(name, func(b *testing.B) {
			cfg := config(b, map[string]bucket.Source{"films": source(server, "")})
			cfg.Limits.Object = size
			if !keep {
				cfg.Cache.Idle = 0
			}
			buckets := open(b, cfg)
			pinned := pin(b, buckets, film("x"))
			first := mustOpen(b, buckets, film("x"), pinned)
			if err := first.Close(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(size)
			for b.Loop() {
				if err := mustOpen(b, buckets, film("x"), pinned).Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
