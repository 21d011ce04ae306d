package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"strings"
	"time"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
)

// column is a column of a table, and where its value is: to be written from, and to be scanned into.
type column struct {
	name string
	at   any
}

// names of columns, each with this before it.
func names(prefix string, list []column) string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = prefix + c.name
	}
	return strings.Join(out, ", ")
}

// places of columns' values.
func places(list []column) []any {
	out := make([]any, len(list))
	for i, c := range list {
		out[i] = c.at
	}
	return out
}

// newJobColumns are the columns of the table jobs that are written when a job begins.
func newJobColumns(j *service.Job) []column {
	return []column{
		{"id", &j.ID},
		{"operation", &j.Operation},
		{"state", &j.State},
		{"message", &j.Message},
		{"bucket", &j.Video.Bucket},
		{"object_key", &j.Video.Key},
		{"object_version", &j.Video.Version},
		{"size", &j.Pinned.Size},
		{"etag", &j.Pinned.ETag},
		{"pinned_version", &j.Pinned.Version},
		{"collection", &j.Collection},
		{"collection_serial", &j.CollectionSerial},
		{"threshold", &j.Threshold},
		{"attributes", &j.Attributes},
		{"tag", &j.Tag},
		{"topic", &j.Topic},
		{"role", &j.Role},
		{"created", (*millis)(&j.Created)},
		{"finished", (*millis)(&j.Finished)},
		{"expires", (*millis)(&j.Expires)},
		{"frozen", terms{&j.Terms}},
		{"access_key", &j.Key},
		{"background", &j.Background},
	}
}

// jobColumns are the columns that make a job, but for its plan's.
func jobColumns(j *service.Job, results **resultsRecord, attempt *int64) []column {
	return append(newJobColumns(j), column{"serial", &j.Serial}, column{"results", document{results}}, column{"attempt", attempt})
}

// selectJobs begins a statement that reads jobs, as j, with their plans and how far they are, but for the plans' data; [scanJob] reads its
// rows. A job that uses another's segments, which are those of o, is as far as that one, which may be gone once the job has ended.
func selectJobs() string {
	return `SELECT ` + names("j.", jobColumns(new(service.Job), nil, nil)) + `, COALESCE(o.segments_done, j.segments_done), j.source IS NOT NULL, p.about
		FROM jobs j LEFT JOIN jobs o ON o.serial = j.source LEFT JOIN plans p ON p.job = j.serial `
}

// addJob says also how many of its key are open then.
func addJob(ctx context.Context, tx *sql.Tx, j *service.Job) (serial service.Serial, ofKey int, err error) {
	list := newJobColumns(j)
	err = tx.QueryRowContext(ctx, `INSERT INTO jobs (`+names("", list)+`) VALUES (`+placeholders(1, len(list))+`)
		RETURNING serial, (SELECT COUNT(*) FROM jobs o WHERE o.state = 'in-progress' AND o.access_key = jobs.access_key AND o.id <> jobs.id)`,
		places(list)...).Scan(&serial, &ofKey)
	return serial, ofKey + 1, err
}

func scanJob(r row, j *service.Job) error {
	var results *resultsRecord
	var plan *planRecord
	var attempt int64
	err := r.Scan(append(places(jobColumns(j, &results, &attempt)), &j.SegmentsDone, &j.Shares, document{&plan})...)
	if err != nil {
		return err
	}
	if results != nil {
		j.Results = &service.Results{
			Sightings: results.Sightings, Persons: results.Persons, Lists: results.Lists, Attempt: attempt,
		}
	}
	if plan != nil {
		j.Plan = plan.plan()
	}
	return nil
}

// resultsRecord is [service.Results] as it is kept, without the attempt: names that are in databases do not change with the code's.
type resultsRecord struct {
	Sightings int `json:"sightings"`
	Persons   int `json:"persons"`
	Lists     int `json:"lists"`
}

func resultsRecordOf(r *service.Results) (record *resultsRecord, attempt int64) {
	if r == nil {
		return nil, 0
	}
	return &resultsRecord{Sightings: r.Sightings, Persons: r.Persons, Lists: r.Lists}, r.Attempt
}

// termsRecord is [service.Terms] as they are kept.
type termsRecord struct {
	Version    int             `json:"version"`
	MaxMatches int             `json:"max_matches"`
	Tell       bool            `json:"tell"`
	Analysis   json.RawMessage `json:"analysis,omitempty"`
}

// terms are a place of [service.Terms] as a column has them; nil is NULL.
type terms struct{ at **service.Terms }

// Value is JSON or NULL.
func (t terms) Value() (driver.Value, error) {
	from := *t.at
	if from == nil {
		return nil, nil //nolint:nilnil // NULL is a nil value
	}
	r := &termsRecord{Version: from.Version, MaxMatches: from.MaxMatches, Tell: from.Tell, Analysis: from.Analysis}
	return document{r}.Value()
}

// Scan reads JSON or NULL. Of a form that is newer than this program only the version is read.
func (t terms) Scan(src any) error {
	*t.at = nil
	var form *struct {
		Version int `json:"version"`
	}
	if err := (document{&form}).Scan(src); err != nil || form == nil {
		return err
	}
	if form.Version > service.TermsVersion {
		*t.at = &service.Terms{Version: form.Version}
		return nil
	}
	var r termsRecord
	err := document{&r}.Scan(src)
	*t.at = &service.Terms{Version: r.Version, MaxMatches: r.MaxMatches, Tell: r.Tell, Analysis: r.Analysis}
	return err
}

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

func (p *planRecord) plan() *service.JobPlan {
	return &service.JobPlan{
		Info: face.VideoInfo{
			Codec: p.Codec, Format: p.Format, Duration: time.Duration(p.Nanos), FrameRate: p.FrameRate,
			Width: p.Width, Height: p.Height, FullRange: p.FullRange, Interlaced: p.Interlaced, Rotation: p.Rotation,
		},
		Segments: p.Segments, Warnings: p.Warnings,
	}
}
