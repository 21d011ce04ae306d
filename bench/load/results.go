package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// resultsReport is how long the pages of a large job take.
type resultsReport struct {
	Order     string `json:"order"`
	Sightings int    `json:"sightings"`
	Pages     timing `json:"pages"`
	// Start and End are the medians of the first and the last twentieth, Ratio is the end's to the start's.
	Start  time.Duration  `json:"start"`
	End    time.Duration  `json:"end"`
	Ratio  float64        `json:"ratio"`
	Errors map[string]int `json:"errors,omitempty"`
}

// pageSize is the most that a page may have.
const pageSize = 1000

func measureResults(ctx context.Context, o *options, r *report) (err error) {
	data := filepath.Join(o.work, "results")
	if err = makeData(ctx, o, data); err != nil {
		return err
	}
	began := time.Now()
	job, err := writeJob(ctx, o, data)
	if err != nil {
		return fmt.Errorf("write a job: %w", err)
	}
	o.say(fmt.Sprintf("a job with %d sightings was written in %s", o.sightings, time.Since(began).Round(time.Millisecond)))
	s, err := start(ctx, o, "results", data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, order := range []types.FaceSearchSortBy{types.FaceSearchSortByTimestamp, types.FaceSearchSortByIndex} {
		report, err := readJob(ctx, s, job, order, o.sightings)
		if err != nil {
			return err
		}
		r.Results = append(r.Results, *report)
	}
	return nil
}

// readJob reads all pages of a job.
func readJob(
	ctx context.Context, s *server, job string, order types.FaceSearchSortBy, sightings int,
) (*resultsReport, error) {
	r := newRecord()
	var next *string
	read, began := 0, time.Now()
	for page := 0; page == 0 || next != nil; page++ {
		err := r.time("GetFaceSearch", func() error {
			out, err := s.api.GetFaceSearch(ctx, &rekognition.GetFaceSearchInput{
				JobId: aws.String(job), MaxResults: aws.Int32(pageSize), SortBy: order, NextToken: next,
			})
			if err == nil {
				next = out.NextToken
				read += len(out.Persons)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", page, err)
		}
	}
	if read != sightings {
		return nil, fmt.Errorf("%d of %d sightings were read", read, sightings)
	}
	took := r.took["GetFaceSearch"]
	part := len(took) / 20
	report := &resultsReport{
		Order: string(order), Sightings: read, Pages: r.timings(time.Since(began))[0],
		Start: median(took[:part]), End: median(took[len(took)-part:]),
	}
	report.Ratio = float64(report.End) / float64(report.Start)
	return report, nil
}

func median(took []time.Duration) time.Duration {
	return percentile(slices.Sorted(slices.Values(took)), 50)
}
