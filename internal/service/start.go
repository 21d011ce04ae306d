package service

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// StartJob begins a job and says which; a request that was made before with the same token is answered with the job of
// that time. [Invalid], [NotFound], [BadObject], [VideoTooLarge], [TooManyJobs], [TokenReused].
//
// The order of the checks is part of the contract: a repeated request is answered before anything else is looked at.
func (s *Service) StartJob(ctx context.Context, r StartRequest) (JobID, error) {
	var token *RequestToken
	if r.Token != "" {
		var err error
		if token, err = s.requestToken(string(r.Operation), r.Token, r.form()); err != nil {
			return "", err
		}
		if earlier, err := s.replay(ctx, token); earlier != nil || err != nil {
			return JobID(earlier), err
		}
	}
	j, err := s.newJob(ctx, r)
	if err != nil {
		return "", err
	}
	if token != nil {
		token.Result = []byte(j.ID)
	}
	if err = s.room(ctx, r.Caller, token); err != nil {
		return "", err
	}
	TrailOf(ctx).About("job/" + string(j.ID))
	open, err := s.ports.Store.CreateJob(ctx, j, s.places(), token, Task{Kind: PlanTask, Job: j.ID, Background: j.Background})
	switch KindOf(err) {
	case TokenReused: // somebody was quicker
		earlier, lost := s.replay(ctx, token)
		return JobID(earlier), lost
	case TooManyJobs:
		return "", s.errTooMany(open, r.Caller)
	default:
		if err != nil {
			return "", err
		}
	}
	s.ports.Events.JobStarted(j)
	s.ports.Log.LogAttrs(ctx, slog.LevelInfo, "job started", slog.String("job_id", string(j.ID)),
		slog.String("operation", string(j.Operation)), slog.String("bucket", j.Video.Bucket),
		slog.String("key", j.Video.Key))
	return j.ID, nil
}

// room refuses a job while too many are open, without writing: those who ask again and again until one has ended must not
// keep the jobs from going on. What others begin meanwhile is seen by [JobStore] CreateJob, whose count is the one that holds.
func (s *Service) room(ctx context.Context, c Caller, token *RequestToken) error {
	list, err := s.ports.Store.OpenJobs(ctx)
	if err != nil {
		return err
	}
	would := Places{OfKey: 1, All: 1 + count(list)}
	for i := range list {
		if list[i].Key == c.Key {
			would.OfKey += list[i].Jobs
		}
	}
	if most := s.places(); would.OfKey <= most.OfKey && would.All <= most.All {
		return nil
	}
	if token != nil { // the place may have been taken by this very request
		if known, err := s.ports.Store.Token(ctx, token.Scope, token.Token, s.ports.Now()); known != nil || err != nil {
			return err
		}
	}
	return s.errTooMany(would, c)
}

func (s *Service) places() Places {
	return Places{OfKey: s.settings.OpenJobs, All: s.settings.AllOpenJobs}
}

func (s *Service) errTooMany(would Places, c Caller) error {
	if most := s.places(); would.OfKey <= most.OfKey {
		return Errorf(TooManyJobs, "%d  open Jobs of all users together. Maximum limit: %d", would.All, most.All)
	}
	return Errorf(TooManyJobs, "%d  open Jobs for User %s. Maximum limit: %d", would.OfKey, c.Name, s.settings.OpenJobs)
}

// newJob checks a request and makes its job.
func (s *Service) newJob(ctx context.Context, r StartRequest) (*Job, error) {
	j := &Job{
		Operation: r.Operation, State: InProgress, Video: r.Video, Threshold: Search{Threshold: r.Threshold}.threshold(),
		Attributes: r.Attributes, Tag: r.Tag, Topic: r.Topic, Role: r.Role, Created: s.ports.Now(),
		Key: r.Caller.Key, Background: r.Caller.Background,
	}
	if r.Operation == FaceSearch {
		c, err := s.searchable(ctx, r.Collection)
		if err != nil {
			return nil, err
		}
		j.Collection, j.CollectionSerial = c.ID, c.Serial
	}
	tell := r.Topic != "" && s.ports.Knows(r.Topic)
	if r.Topic != "" && !tell && !s.settings.AcceptUnknownTopics {
		return nil, Errorf(Invalid, "Request has invalid parameters: no topic %s is configured", r.Topic)
	}
	j.Terms = &Terms{Version: firstTerms, MaxMatches: s.settings.MaxMatches, Tell: tell}
	var err error
	if j.Terms.Analysis, err = s.ports.Videos.Terms(); err != nil {
		return nil, err
	}
	if j.Pinned, err = s.ports.Objects.Stat(ctx, r.Video); err != nil {
		return nil, err
	}
	if j.Pinned.Size > s.settings.MaxVideo {
		return nil, s.errTooLarge(j.Pinned.Size)
	}
	id := make([]byte, 32)
	if _, err := io.ReadFull(s.ports.Random, id); err != nil {
		return nil, fmt.Errorf("job id: %w", err)
	}
	j.ID = JobID(hex.EncodeToString(id))
	return j, nil
}

func (s *Service) errTooLarge(size int64) error {
	return Errorf(VideoTooLarge, "Video size in bytes: %d is more than the maximum limit of: %d bytes.",
		size, s.settings.MaxVideo)
}
