package model_test

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

func ExampleDecode() {
	var in model.StartFaceSearchRequest
	err := model.Decode("StartFaceSearch", []byte(`{"CollectionId":"the staff","FaceMatchThreshold":120}`), &in)
	fmt.Println(err)
	// Output: 3 validation errors detected: Value null at 'video' failed to satisfy constraint: Member must not be null; Value '120.0' at 'faceMatchThreshold' failed to satisfy constraint: Member must have value less than or equal to 100; Value 'the staff' at 'collectionId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+
}

func ExampleCheckOutput() {
	fmt.Println(model.CheckOutput("GetFaceSearch", []byte(`{"JobStatus":"SUCCEEDED","Persons":null}`)))
	// Output: response of GetFaceSearch: 'persons' is null and not absent
}
