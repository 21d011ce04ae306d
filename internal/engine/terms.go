package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spotter-video/spotter/internal/search"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/track"
)

// analysisVersion is that of [analysisRecord].
const analysisVersion = 1

// analysisRecord is everything that decides how a stored video is analysed, kept with the job: what a process can set is taken from
// here, and what it cannot, such as its models, must be the same.
type analysisRecord struct {
	Version  int    `json:"version"`
	Revision int    `json:"revision"` // of the pipeline
	Model    string `json:"model"`
	Pack     string `json:"pack"` // sha256 of the manifest
	// Decoder is the build; empty where the process that began the job has none.
	Decoder    string       `json:"decoder,omitempty"`
	AWSFormats bool         `json:"aws_formats,omitempty"`
	Portraits  bool         `json:"portraits,omitempty"` // of the faces are kept too
	Params     paramsRecord `json:"params"`
}

// paramsRecord is [search.Params] without the scale, which is the pack's.
type paramsRecord struct {
	SampleRate     float64 `json:"sample_rate"`
	WholeEvery     int64   `json:"whole_every_ns"`
	Confident      float32 `json:"confident"`
	MinIoU         float32 `json:"min_iou"`
	MinIoUDoubtful float32 `json:"min_iou_doubtful"`
	Reach          float32 `json:"reach"`
	MaxGap         int64   `json:"max_gap_ns"`
	MaxGapSamples  float64 `json:"max_gap_samples"`
	ShotChange     float64 `json:"shot_change"`
	ShotContrast   float64 `json:"shot_contrast"`
	Samples        int     `json:"samples"`
	SampleEvery    int64   `json:"sample_every_ns"`
	Settled        float64 `json:"settled"`
}

func paramsRecordOf(p *search.Params) paramsRecord {
	return paramsRecord{
		SampleRate: p.SampleRate, WholeEvery: int64(p.WholeEvery),
		Confident: p.Track.Confident, MinIoU: p.Track.MinIoU, MinIoUDoubtful: p.Track.MinIoUDoubtful, Reach: p.Track.Reach,
		MaxGap: int64(p.Track.MaxGap), MaxGapSamples: p.Track.MaxGapSamples,
		ShotChange: p.ShotChange, ShotContrast: p.ShotContrast,
		Samples: p.Samples, SampleEvery: int64(p.SampleEvery), Settled: p.Settled,
	}
}

func (r *paramsRecord) params() search.Params {
	return search.Params{
		SampleRate: r.SampleRate, WholeEvery: time.Duration(r.WholeEvery),
		Track: track.Params{
			Confident: r.Confident, MinIoU: r.MinIoU, MinIoUDoubtful: r.MinIoUDoubtful, Reach: r.Reach,
			MaxGap: time.Duration(r.MaxGap), MaxGapSamples: r.MaxGapSamples,
		},
		ShotChange: r.ShotChange, ShotContrast: r.ShotContrast,
		Samples: r.Samples, SampleEvery: time.Duration(r.SampleEvery), Settled: r.Settled,
	}
}

// Terms implements [service.Videos].
func (s *stored) Terms() ([]byte, error) {
	r := s.termsBy(s.builds)
	r.AWSFormats = s.awsFormats
	return r.encode()
}

// termsBy are the terms of this pipeline, with the usual one of these decoders.
func (p *pipeline) termsBy(builds []string) *analysisRecord {
	r := &analysisRecord{
		Version: analysisVersion, Revision: search.Revision, Model: string(p.pack.Model()), Pack: p.pack.Sum(),
		Params: paramsRecordOf(&p.params),
	}
	if len(builds) > 0 {
		r.Decoder = builds[0]
	}
	return r
}

func (r *analysisRecord) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode how videos are analysed: %w", err)
	}
	return data, nil
}

// Under implements [service.Videos].
func (s *stored) Under(terms []byte) (service.Eyes, error) {
	e := &eyes{stored: s, by: s.pipeline, awsFormats: s.awsFormats}
	if terms == nil {
		return e, nil
	}
	r, err := readTerms(terms)
	if err != nil {
		return nil, err
	}
	if err := s.keeps(r); err != nil {
		return nil, err
	}
	e.by.params, e.awsFormats = r.Params.params(), r.AWSFormats
	e.by.params.Scale = *s.pack.Scale()
	if err := e.by.params.Validate(); err != nil {
		return nil, fmt.Errorf("how the video is to be analysed: %w", err)
	}
	if r.Decoder != "" {
		e.by.decoder = s.decoder.Only(r.Decoder)
	}
	return e, nil
}

// readTerms reads terms. Those of a newer form are a newer program's business.
func readTerms(terms []byte) (*analysisRecord, error) {
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(terms, &form); err != nil {
		return nil, fmt.Errorf("read how the video is to be analysed: %w", err)
	}
	if form.Version > analysisVersion {
		return nil, service.Errorf(service.Elsewhere, "A newer Spotter has begun the job: how its video is analysed has the form %d, and "+
			"this one reads up to %d.", form.Version, analysisVersion)
	}
	r := new(analysisRecord)
	if err := json.Unmarshal(terms, r); err != nil {
		return nil, fmt.Errorf("read how the video is to be analysed: %w", err)
	}
	return r, nil
}

// keeps says what this process lacks to keep to terms. [service.Elsewhere].
func (s *stored) keeps(r *analysisRecord) error {
	missing := func(what, has string, wants any) error {
		return service.Errorf(service.Elsewhere, "The job was begun with the %s %v, and this server has %s.", what, wants, has)
	}
	switch {
	case r.Model != string(s.pack.Model()):
		return missing("models", string(s.pack.Model()), r.Model)
	case r.Pack != s.pack.Sum():
		return missing("model pack whose manifest has the sha256", s.pack.Sum(), r.Pack)
	case r.Revision != search.Revision:
		return missing("pipeline's revision", strconv.Itoa(search.Revision), r.Revision)
	case r.Decoder != "" && !slices.Contains(s.builds, r.Decoder):
		return missing("decoder", fmt.Sprint(s.builds), r.Decoder)
	default:
		return nil
	}
}
