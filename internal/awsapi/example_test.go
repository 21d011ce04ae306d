package awsapi_test

import (
	"fmt"
	"os"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/face"
)

func ExampleWriteFaceSearch() {
	err := awsapi.WriteFaceSearch(os.Stdout, awsapi.FaceSearch{
		Status:   awsapi.Failed,
		Message:  "the file holds no video",
		Enrolled: func(face.ID) (face.Enrolled, bool) { return face.Enrolled{}, false },
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: {"JobStatus":"FAILED","StatusMessage":"the file holds no video","VideoMetadata":{},"Persons":[]}
}

func ExampleExternalImageID() {
	fmt.Println(awsapi.ExternalImageID("Anna Müller", "passport"))
	// Output: Anna:20M:C3:BCller.passport
}
