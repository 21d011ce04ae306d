package evaluation

import (
	"encoding/json"
	"testing"
)

const exampleTruth = `{"video":"v.mp4","firstFramePtsMs":100,"identities":[
 {"id":"ann","enrolled":true,"visible":[[1000,3000]],"ignore":[[5000,6000]]},
 {"id":"ann-lee","enrolled":true,"visible":[[0,600]]},
 {"id":"unknown-1","enrolled":false,"visible":[[0,9000]]}]}`

func TestScore(t *testing.T) {
	t.Parallel()
	var gt Truth
	if err := json.Unmarshal([]byte(exampleTruth), &gt); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		doc  string
		want Outcome
	}{
		"nothing found": {`{}`, Outcome{Points: 5, Intervals: 2}},
		"one match answers the points near it": {
			`{"Persons":[{"Timestamp":1850,"FaceMatches":[{"Similarity":80,"Face":{"ExternalImageId":"ann.1"}}]}]}`,
			Outcome{Points: 5, Hits: 1, Intervals: 2, IntervalsFound: 1, True: 1},
		},
		"below the threshold": {
			`{"Persons":[{"Timestamp":1850,"FaceMatches":[{"Similarity":79.9,"Face":{"ExternalImageId":"ann.1"}}]}]}`,
			Outcome{Points: 5, Intervals: 2},
		},
		"ignored": {
			`{"Persons":[{"Timestamp":5600,"FaceMatches":[{"Similarity":99,"Face":{"ExternalImageId":"ann.1"}}]}]}`,
			Outcome{Points: 5, Intervals: 2},
		},
		"false, and only the best match counts": {
			`{"Persons":[{"Timestamp":8100,"FaceMatches":[{"Similarity":81,"Face":{"ExternalImageId":"ann-lee.2"}},
			  {"Similarity":90,"Face":{"ExternalImageId":"ann"}}]}]}`,
			Outcome{Points: 5, Intervals: 2, False: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var doc Document
			if err := json.Unmarshal([]byte(tt.doc), &doc); err != nil {
				t.Fatal(err)
			}
			got := Score(&doc, &gt, 80)
			if got.Points != tt.want.Points || got.Hits != tt.want.Hits || got.Intervals != tt.want.Intervals ||
				got.IntervalsFound != tt.want.IntervalsFound || got.True != tt.want.True || got.False != tt.want.False {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if len(got.Missed) != got.Points-got.Hits || len(got.Wrong) != got.False {
				t.Errorf("lists do not agree with counts: %+v", got)
			}
		})
	}
}

func TestPerson(t *testing.T) {
	t.Parallel()
	ids := []string{"ann", "ann-lee"}
	for external, want := range map[string]string{
		"ann": "ann", "ann.1": "ann", "ann-lee.2": "ann-lee", "anna": "anna", "bob.1": "bob.1",
	} {
		if got := person(external, ids); got != want {
			t.Errorf("person(%q) = %q, want %q", external, got, want)
		}
	}
}
