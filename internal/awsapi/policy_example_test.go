package awsapi_test

import (
	"fmt"

	"github.com/spotter-video/spotter/internal/awsapi"
)

func ExampleCheckPolicy() {
	fmt.Println(awsapi.CheckPolicy(awsapi.Administrator()))
	fmt.Println(awsapi.CheckPolicy(`{
		"Version": "2012-10-17",
		"Statement": {"Effect": "Allow", "Action": "rekognition:Search*", "Resource": "staff"}
	}`))
	// Output:
	// <nil>
	// policy document: statement 1: Resource: "staff" is no resource; write "*", or an ARN as in "arn:aws:rekognition:*:*:collection/*"
}
