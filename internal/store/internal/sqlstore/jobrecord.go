package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

const jobFields = `id, operation, state, message, bucket, object_key, object_version, size, etag, pinned_version,
	collection, collection_serial, threshold, attributes, tag, topic, role, created, finished, expires`

// jobColumns are of the table jobs as j, and are followed by two of the job's plan.
const jobColumns = `j.serial, j.id, j.operation, j.state, j.message, j.bucket, j.object_key, j.object_version, j.size,
	j.etag, j.pinned_version, j.collection, j.collection_serial, j.threshold, j.attributes, j.tag, j.topic, j.role,
	j.created, j.finished, j.expires, j.segments_done, j.results`

func addJob(ctx context.Context, tx *sql.Tx, j *service.Job) (service.Serial, error) {
	var serial service.Serial
	err := tx.QueryRowContext(ctx, `INSERT INTO jobs (`+jobFields+`) VALUES (`+placeholders(1, 20)+`) RETURNING serial`,
		j.ID, j.Operation, j.State, j.Message, j.Video.Bucket, j.Video.Key, j.Video.Version,
		j.Pinned.Size, j.Pinned.ETag, j.Pinned.Version, j.Collection, j.CollectionSerial, j.Threshold, j.Attributes,
		j.Tag, j.Topic, j.Role, millis(j.Created), millis(j.Finished), millis(j.Expires)).Scan(&serial)
	return serial, err
}

func scanJob(r row, j *service.Job) error {
	var results *resultsRecord
	var plan *planRecord
	var data blob
	err := r.Scan(&j.Serial, &j.ID, &j.Operation, &j.State, &j.Message, &j.Video.Bucket, &j.Video.Key, &j.Video.Version,
		&j.Pinned.Size, &j.Pinned.ETag, &j.Pinned.Version, &j.Collection, &j.CollectionSerial, &j.Threshold, &j.Attributes,
		&j.Tag, &j.Topic, &j.Role, (*millis)(&j.Created), (*millis)(&j.Finished), (*millis)(&j.Expires),
		&j.SegmentsDone, document{&results}, document{&plan}, &data)
	if err != nil {
		return err
	}
	j.Results = (*service.Results)(results)
	if plan != nil {
		j.Plan = plan.plan(data)
	}
	return nil
}

// resultsRecord is [service.Results] as it is kept: names that are in databases do not change with the code's.
type resultsRecord struct {
	Sightings int `json:"sightings"`
	Persons   int `json:"persons"`
	Lists     int `json:"lists"`
}

func resultsRecordOf(r *service.Results) *resultsRecord { return (*resultsRecord)(r) }

// planRecord is [service.JobPlan] as it is kept, without its data.
type planRecord struct {
	Codec      string   `json:"codec"`
	Format     string   `json:"format"`
	Nanos      int64    `json:"duration_ns"`
	FrameRate  float64  `json:"frame_rate"`
	Width      int      `json:"width"`
	Height     int      `json:"height"`
	FullRange  bool     `json:"full_range"`
	Interlaced bool     `json:"interlaced"`
	Rotation   int      `json:"rotation"`
	Segments   int      `json:"segments"`
	Warnings   []string `json:"warnings"`
}

func planRecordOf(p *service.JobPlan) *planRecord {
	return &planRecord{
		Codec: p.Info.Codec, Format: p.Info.Format, Nanos: int64(p.Info.Duration), FrameRate: p.Info.FrameRate,
		Width: p.Info.Width, Height: p.Info.Height, FullRange: p.Info.FullRange, Interlaced: p.Info.Interlaced,
		Rotation: p.Info.Rotation, Segments: p.Segments, Warnings: p.Warnings,
	}
}

func (p *planRecord) plan(data []byte) *service.JobPlan {
	return &service.JobPlan{
		Info: face.VideoInfo{
			Codec: p.Codec, Format: p.Format, Duration: time.Duration(p.Nanos), FrameRate: p.FrameRate,
			Width: p.Width, Height: p.Height, FullRange: p.FullRange, Interlaced: p.Interlaced, Rotation: p.Rotation,
		},
		Segments: p.Segments, Data: data, Warnings: p.Warnings,
	}
}
