package report_test

import (
	"fmt"
	"os"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/report"
)

// result is a video in which Anna was seen for two seconds.
func result() *report.Run {
	anna := face.ID{15: 1}
	matches := []face.Match{{ID: anna, Similarity: 97.5, Own: 97.5}}
	box := face.Detection{Box: face.Box{Left: 0.4, Top: 0.2, Width: 0.1, Height: 0.2}}
	return &report.Run{
		Threshold: 80, SampleRate: 1,
		Gallery: report.Gallery{
			Faces:  map[face.ID]face.Enrolled{anna: {ID: anna, ExternalID: "ANNA.passport"}},
			Person: map[face.ID]string{anna: "ANNA"},
		},
		Videos: []report.Video{{
			Name: "clip.mp4", Info: face.VideoInfo{Width: 640, Height: 360},
			Sightings: []face.Sighting{
				{Time: 3 * time.Second, Matches: matches, Detection: box},
				{Time: 4 * time.Second, Matches: matches, Detection: box},
				{Time: 5 * time.Second, Matches: matches, Detection: box},
			},
		}},
	}
}

func ExampleTable() {
	if err := report.Table(os.Stdout, result(), report.TableOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// clip.mp4
	//   640x360
	//   PERSON     BEST  SEEN FOR  WHEN
	//   ANNA     97.5 %     2.0 s  0:03.0-0:05.0
	//   no strangers
}

func ExampleCSV() {
	if err := report.CSV(os.Stdout, result()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// video,person,start_seconds,end_seconds,start,end,best_similarity,sightings,external_image_id,face_id,best_own_similarity,note
	// clip.mp4,ANNA,3.000,5.000,00:00:03.000,00:00:05.000,97.50,3,ANNA.passport,00000000-0000-0000-0000-000000000001,97.50,
}

func ExampleSummarise() {
	run := result()
	summary := report.Summarise(&run.Videos[0], &run.Gallery, run.SampleRate)
	for _, person := range summary.People {
		fmt.Println(person.Name, person.Sightings, person.Intervals[0].Start, person.Intervals[0].End)
	}
	// Output: ANNA 3 3s 5s
}
