package bucket_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/spotter-video/spotter/internal/bucket"
	"github.com/spotter-video/spotter/internal/testkit/s3server"
)

func source(s *s3server.Server, name string) bucket.S3 {
	return bucket.S3{
		Endpoint: s.Endpoint, Region: s.Region, PathStyle: true, Bucket: name,
		KeyID: s.KeyID, Secret: bucket.Secret(s.Secret),
	}
}

func client(s *s3server.Server) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.KeyID, s.Secret, ""),
	})
}

func createBucket(t *testing.T, c *s3.Client, name string) {
	t.Helper()
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
}

// putObject says which version it made, if any.
func putObject(t *testing.T, c *s3.Client, name, key string, data []byte) string {
	t.Helper()
	out, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.VersionId)
}

func removeObject(t *testing.T, c *s3.Client, name, key string) {
	t.Helper()
	if _, err := c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &name, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

func TestS3(t *testing.T) { //nolint:tparallel // they share a server, and start as they are few
	t.Parallel()
	server := s3server.Start(t)
	c := client(server)
	t.Run("conformance", func(t *testing.T) {
		bucketTest(t, func(t *testing.T) fixture {
			t.Helper()
			name := "real-" + strings.ToLower(strings.ReplaceAll(filepath.Base(t.Name()), "_", "-"))
			createBucket(t, c, name)
			return fixture{
				buckets: open(t, config(t, map[string]bucket.Source{"films": source(server, name)})),
				put:     func(t *testing.T, key string, data []byte) { t.Helper(); putObject(t, c, name, key, data) },
				remove:  func(t *testing.T, key string) { t.Helper(); removeObject(t, c, name, key) },
			}
		})
	})
	t.Run("versions", func(t *testing.T) { testVersions(t, server, c) })
	t.Run("all buckets of a server", func(t *testing.T) { testWildcard(t, server, c) })
	t.Run("object without an ETag", func(t *testing.T) { testUntagged(t, server, c) })
	t.Run("wrong credentials", func(t *testing.T) { testCredentials(t, server, c) })
	t.Run("absent bucket", func(t *testing.T) {
		b := open(t, config(t, map[string]bucket.Source{"films": source(server, "absent")}))
		wantKind(t, b.Check(t.Context()), bucket.NotFound)
		_, err := b.Read(t.Context(), film("x"), 10)
		wantKind(t, err, bucket.NotFound)
	})
}

func testVersions(t *testing.T, server *s3server.Server, c *s3.Client) {
	t.Helper()
	createBucket(t, c, "versioned")
	b := open(t, config(t, map[string]bucket.Source{"films": source(server, "versioned")}))
	putObject(t, c, "versioned", "old", []byte("from before versions"))
	if _, err := c.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String("versioned"),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	}); err != nil {
		t.Fatal(err)
	}
	old := mustOpen(t, b, film("old"), pin(t, b, film("old")))
	wantContent(t, old, []byte("from before versions"))
	_ = old.Close()

	first := putObject(t, c, "versioned", "x", []byte("first"))
	pinned := pin(t, b, film("x"))
	if first == "" || pinned.Version != first {
		t.Fatalf("version %q is pinned as %q", first, pinned.Version)
	}
	putObject(t, c, "versioned", "x", []byte("second"))
	named := bucket.Object{Bucket: "films", Key: "x", Version: first}
	if info := pin(t, b, named); info != pinned {
		t.Errorf("by its version the object is %+v, not %+v", info, pinned)
	}
	if data, err := b.Read(t.Context(), named, 100); string(data) != "first" {
		t.Errorf("got %q, error %v", data, err)
	}
	removeObject(t, c, "versioned", "x") // makes a mark of deletion
	for _, o := range []bucket.Object{film("x"), named} {
		f := mustOpen(t, b, o, pinned) // replaced and deleted, and yet there
		wantContent(t, f, []byte("first"))
		_ = f.Close()
	}
	_, err := b.Stat(t.Context(), film("x"))
	wantKind(t, err, bucket.NotFound)
}

func testWildcard(t *testing.T, server *s3server.Server, c *s3.Client) {
	t.Helper()
	folder, _ := folderBucket(t)
	b := open(t, config(t, map[string]bucket.Source{"*": source(server, ""), "films": bucket.Folder{Path: folder}}))
	for i := range 3 {
		name := fmt.Sprintf("wild-%d", i)
		createBucket(t, c, name)
		putObject(t, c, name, "x", []byte(name))
		if data, err := b.Read(t.Context(), bucket.Object{Bucket: name, Key: "x"}, 100); string(data) != name {
			t.Errorf("got %q, error %v", data, err)
		}
	}
	if data, err := b.Read(t.Context(), film("in/x"), 100); string(data) != "inside" {
		t.Errorf("the bucket with a source of its own: got %q, error %v", data, err)
	}
	_, err := b.Stat(t.Context(), bucket.Object{Bucket: "absent", Key: "x"})
	wantKind(t, err, bucket.NotFound)
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// testUntagged is about a file that was put into the server's storage past the server.
func testUntagged(t *testing.T, server *s3server.Server, c *s3.Client) {
	t.Helper()
	createBucket(t, c, "untagged")
	write(t, filepath.Join(server.Folder, "untagged", "x"), []byte("by hand"))
	b := open(t, config(t, map[string]bucket.Source{"films": source(server, "untagged")}))
	pinned := pin(t, b, film("x"))
	f := mustOpen(t, b, film("x"), pinned)
	wantContent(t, f, []byte("by hand"))
	_ = f.Close()
	putObject(t, c, "untagged", "x", []byte("through"))
	fresh := open(t, config(t, map[string]bucket.Source{"films": source(server, "untagged")}))
	_, err := openWhole(t.Context(), fresh, film("x"), pinned)
	wantKind(t, err, bucket.Changed)
}

func testCredentials(t *testing.T, server *s3server.Server, c *s3.Client) {
	t.Helper()
	createBucket(t, c, "guarded")
	putObject(t, c, "guarded", "x", []byte("x"))
	s := source(server, "guarded")
	s.Secret = "very-secret"
	b := open(t, config(t, map[string]bucket.Source{"films": s}))
	_, statErr := b.Stat(t.Context(), film("x"))
	_, readErr := b.Read(t.Context(), film("x"), 10)
	for _, err := range []error{statErr, readErr, b.Check(t.Context())} {
		wantKind(t, err, bucket.Denied)
		if err != nil && (strings.Contains(err.Error(), "very-secret") || strings.Contains(err.Error(), server.Secret)) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}
