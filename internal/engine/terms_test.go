package engine

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/recognizer"
	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/track"
	"github.com/spotter-video/spotter/internal/video"
)

// TestParamsAreKept: every parameter but the scale is kept, also one that is added later.
func TestParamsAreKept(t *testing.T) {
	t.Parallel()
	want := search.Params{
		SampleRate: 1, WholeEvery: 2, Track: track.Params{Confident: 3, MinIoU: 4, MinIoUDoubtful: 5, Reach: 6, MaxGap: 7, MaxGapSamples: 8},
		ShotChange: 9, ShotContrast: 10, Samples: 11, SampleEvery: 12, Settled: 13,
	}
	for _, v := range []reflect.Value{reflect.ValueOf(want), reflect.ValueOf(want.Track)} {
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "Scale" {
				t.Errorf("%s is not in this test: is it kept?", name)
			}
		}
	}
	r := paramsRecordOf(&want)
	if d := cmp.Diff(want, r.params()); d != "" {
		t.Error("params (-want +got):\n" + d)
	}
	const form = `{"version":1,"revision":2,"model":"m","pack":"p","decoder":"d","aws_formats":true,"params":{"sample_rate":1,` +
		`"whole_every_ns":2,"confident":3,"min_iou":4,"min_iou_doubtful":5,"reach":6,"max_gap_ns":7,"max_gap_samples":8,` +
		`"shot_change":9,"shot_contrast":10,"samples":11,"sample_every_ns":12,"settled":13}}`
	record := &analysisRecord{Version: 1, Revision: 2, Model: "m", Pack: "p", Decoder: "d", AWSFormats: true, Params: r}
	if kept, err := json.Marshal(record); err != nil || string(kept) != form {
		t.Errorf("kept as\n%s, want\n%s; %v", kept, form, err)
	}
	if got, err := readTerms([]byte(form)); err != nil || *got != *record {
		t.Errorf("read as %+v, %v", got, err)
	}
}

// storedWith is a server's eyes with the default pack.
func storedWith(t *testing.T, builds ...string) *stored {
	t.Helper()
	pack, err := recognizer.LoadPack(filepath.Join("..", "..", "models", "default"))
	if err != nil {
		t.Skip("no model pack here (make setup): ", err)
	}
	decoder, err := video.New(video.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	return newStored(&Engine{pipeline: pipeline{pack: pack, params: search.DefaultParams(*pack.Scale()), decoder: decoder}}, builds, false)
}

// TestTermsOfAnotherServer takes over a job from a server that is set up in another way.
func TestTermsOfAnotherServer(t *testing.T) {
	t.Parallel()
	first, second := storedWith(t, "libav-1", "ffmpeg-1"), storedWith(t, "ffmpeg-1", "libav-1")
	first.params.SampleRate, first.params.Samples, first.awsFormats = 2, 3, true
	terms, err := first.Terms()
	if err != nil {
		t.Fatal(err)
	}
	taken, err := second.Under(terms)
	if err != nil {
		t.Fatal(err)
	}
	e := taken.(*eyes) //nolint:errcheck // or the test ends here
	if d := cmp.Diff(first.params, e.by.params); d != "" || !e.awsFormats {
		t.Errorf("formats %v, params (-want +got):\n%s", e.awsFormats, d)
	}
	own, err := second.Under(nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := own.(*eyes); e.by.params.SampleRate != 5 || e.awsFormats || e.by.decoder != second.decoder { //nolint:errcheck // as above
		t.Errorf("a job of before is analysed with %+v", e.by.params)
	}
	for name, change := range map[string]func(r *analysisRecord){
		"other models":     func(r *analysisRecord) { r.Model = "other" },
		"other manifest":   func(r *analysisRecord) { r.Pack = "0123" },
		"other revision":   func(r *analysisRecord) { r.Revision++ },
		"other decoder":    func(r *analysisRecord) { r.Decoder = "libav-2" },
		"newer form":       func(r *analysisRecord) { r.Version++ },
		"any decoder":      func(r *analysisRecord) { r.Decoder = "" },
		"nothing to speak": func(r *analysisRecord) { r.Params.SampleRate = 0 },
	} {
		r, err := readTerms(terms)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		changed, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		_, err = second.Under(changed)
		switch {
		case name == "any decoder" && err == nil, name == "nothing to speak" && err != nil && service.KindOf(err) == service.Internal:
		case service.KindOf(err) != service.Elsewhere:
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTerms(f *testing.F) {
	f.Add([]byte(`{"version":1,"params":{"sample_rate":5}}`))
	f.Add([]byte(`{"version":2,"params":[]}`))
	f.Fuzz(func(t *testing.T, terms []byte) {
		if r, err := readTerms(terms); err == nil && r == nil {
			t.Fatal("nothing was read, and nothing is wrong")
		}
	})
}
