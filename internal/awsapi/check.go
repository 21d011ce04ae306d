package awsapi

import "github.com/spotter-video/spotter/internal/awsapi/internal/model"

// CheckOutput holds the body of a successful response of an operation, such as "GetFaceSearch" or "SpotterService.ListJobs",
// against the official service model, for tests: no member that the operation's output does not have, none that is null, and
// every constraint kept.
func CheckOutput(operation string, body []byte) error { return model.CheckOutput(operation, body) }
