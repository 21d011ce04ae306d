package awsapi

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// BenchmarkPage is a full page of results, from the service's words to the wire.
func BenchmarkPage(b *testing.B) {
	shared := (&recorder{}).hits()
	sightings := make([]service.JobSighting, mostResults)
	for i := range sightings {
		sightings[i] = service.JobSighting{
			Sighting: face.Sighting{Time: time.Duration(i) * time.Second / 5, Person: i % 3, Detection: seen().Detection}, Hits: shared,
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(model.GetFaceSearchResponse{Persons: personMatches(sightings)}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeImage is the largest request there is: an image of 5 MB within the body.
func BenchmarkDecodeImage(b *testing.B) {
	body := []byte(`{"CollectionId":"c","Image":{"Bytes":"` + base64.StdEncoding.EncodeToString(make([]byte, 5<<20)) + `"}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := model.Decode("IndexFaces", body, &model.IndexFacesRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}
