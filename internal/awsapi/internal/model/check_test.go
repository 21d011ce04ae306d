package model

import (
	"strings"
	"testing"
)

func TestCheckOutput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, operation, body, want string }{
		{"good", "GetFaceSearch", `{"JobStatus":"SUCCEEDED","VideoMetadata":{"FrameRate":29.97},"Persons":[{"Timestamp":0,"Person":{"Index":0},"FaceMatches":[]}]}`, ""},
		{"nothing", "DeleteUser", ``, ""},
		{"a time", "DescribeCollection", `{"CreationTimestamp":1569444828.274}`, ""},
		{"the empty list that AWS sends", "DeleteFaces", `{"DeletedFaces":[],"UnsuccessfulFaceDeletions":[]}`, ""},
		{"an unknown member", "GetFaceSearch", `{"Job":1}`, "GetFaceSearchResponse has no member 'job'"},
		{
			"an unknown member deep inside", "GetFaceSearch", `{"Persons":[{"Person":{"Face":{"Name":"x"}}}]}`,
			"FaceDetail has no member 'persons.1.member.person.face.name'",
		},
		{"null", "GetFaceSearch", `{"NextToken":null}`, "'nextToken' is null and not absent"},
		{"null in a list", "GetFaceSearch", `{"Persons":[null]}`, "Value null at 'persons.1.member'"},
		{
			"out of range", "GetFaceSearch", `{"Persons":[{"FaceMatches":[{"Similarity":101}]}]}`,
			"Value '101.0' at 'persons.1.member.faceMatches.1.member.similarity'",
		},
		{"not of the enum", "GetFaceSearch", `{"JobStatus":"DONE"}`, "Value 'DONE' at 'jobStatus'"},
		{"a string for a time", "DescribeCollection", `{"CreationTimestamp":"2026"}`, "STRING_VALUE cannot be converted to Timestamp"},
		{"no object", "DeleteUser", `[]`, "Start of list"},
		{"unsupported", "DetectLabels", `{}`, `the shapes of operation "DetectLabels" are not known`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := CheckOutput(tc.operation, []byte(tc.body))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
