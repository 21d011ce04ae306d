// Package awsapi is Spotter's AWS JSON 1.1 door: the shapes of Amazon Rekognition's face API in AWS's own spelling.
// Names, constraints and units are those of the official service model (rekognition, 2016-06-27).
//
// It is the only room that knows AWS's spellings, and the only one that counts time in milliseconds. It knows the words
// of package face and nothing of how faces are found or kept.
package awsapi
