package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"time"
)

// AnalysisKey is a hash of everything that decides what the segments of a job give: what they gave for one job another one of the same key can use.
type AnalysisKey [sha256.Size]byte

// Sharing is how a job may use what another one's segments give.
type Sharing struct {
	Key AnalysisKey
	// Terms are the job's if it does so.
	Terms *Terms
	// Now is when it begins to, and Until how long they are kept from then on, at least.
	Now, Until time.Time
}

// analysisForm is what is hashed, as JSON. Names that are in databases do not change with the code's.
type analysisForm struct {
	Form       int             `json:"form"`
	Bucket     string          `json:"bucket"`
	Key        string          `json:"key"`
	Version    string          `json:"version"`
	ETag       string          `json:"etag"`
	Size       int64           `json:"size"`
	Attributes bool            `json:"attributes"`
	Analysis   json.RawMessage `json:"analysis"`
}

// sharing is how a job may use what another one's segments give, and others its own; nil if they are for itself alone. The object is named by the state that it had when the job began.
func (s *Service) sharing(j *Job) *Sharing {
	if s.settings.KeepAnalyses <= 0 || j.Terms == nil || len(j.Terms.Analysis) == 0 {
		return nil
	}
	form, err := json.Marshal(&analysisForm{
		Form: 1, Bucket: j.Video.Bucket, Key: j.Video.Key, Version: j.Pinned.Version, ETag: j.Pinned.ETag, Size: j.Pinned.Size,
		Attributes: j.Attributes, Analysis: j.Terms.Analysis,
	})
	if err != nil { // the terms are no JSON, which whoever reads them says better
		return nil
	}
	with := *j.Terms
	with.Version = TermsVersion
	now := s.ports.Now()
	return &Sharing{Key: sha256.Sum256(form), Terms: &with, Now: now, Until: now.Add(s.settings.KeepAnalyses)}
}

// share has a job use what another one's segments give, if there is one.
func (s *Service) share(ctx context.Context, j *Job, how *Sharing) (bool, error) {
	if how == nil {
		return false, nil
	}
	shared, err := s.ports.Store.ShareAnalysis(ctx, j.ID, how)
	if shared && err == nil {
		s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "job uses what is known of its video", slog.String("job_id", string(j.ID)))
	}
	return shared, err
}
