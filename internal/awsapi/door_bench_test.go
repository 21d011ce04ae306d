package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

// What the door itself costs: from the signature to the answer, with an operation that does nothing.
func BenchmarkDoor(b *testing.B) {
	image := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff, 0xd8, 0x5a}, 5<<20/3))
	for name, body := range map[string]string{
		"small": `{}`,
		"image": `{"Image":{"Bytes":"` + image + `"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			now := time.Date(2026, 11, 23, 4, 31, 47, 0, time.UTC)
			door := benchDoor(b, func() time.Time { return now })
			template := signedRequest(b, body, now)
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				r := template.Clone(b.Context())
				r.Body = io.NopCloser(bytes.NewReader([]byte(body)))
				w := httptest.NewRecorder()
				if door.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("got %d %s", w.Code, w.Body)
				}
			}
		})
	}
}

func benchDoor(b *testing.B, now func() time.Time) *Door {
	b.Helper()
	detect := func(context.Context, Service, call, *model.DetectFacesRequest) (*model.DetectFacesResponse, error) {
		return nil, nil
	}
	list := func(context.Context, Service, call, *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
		return nil, nil
	}
	sessions, err := NewSessions(make([]byte, 32), now)
	if err != nil {
		b.Fatal(err)
	}
	door, err := newDoor(Config{
		Service: nothing{}, Sessions: sessions, Region: "us-east-1", Account: "000000000000", Now: now, Log: slog.New(slog.DiscardHandler),
		Keys:   keyring{keyID: {Secret: secret, Name: "ann", Policy: Administrator()}},
		Limits: Limits{PerKey: 1e9, Overall: 1e9, InFlight: 100},
	}, []operation{define("DetectFaces", nil, detect), define("ListCollections", nil, list)})
	if err != nil {
		b.Fatal(err)
	}
	return door
}

func signedRequest(b *testing.B, body string, at time.Time) *http.Request {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://127.0.0.1:8420/", bytes.NewReader([]byte(body)))
	target := "ListCollections"
	if len(body) > len(`{}`) {
		target = "DetectFaces"
	}
	r.Header.Set("X-Amz-Target", rekognitionPrefix+target)
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(b.Context(), aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, r,
		hex.EncodeToString(sum[:]), "rekognition", "us-east-1", at)
	if err != nil {
		b.Fatal(err)
	}
	return r
}
