-- +goose Up

-- Who has begun a job, whether it waits for those of others, and the lowest turn that its next segment gets (see service.Pace).
ALTER TABLE jobs ADD COLUMN access_key TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN background INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN turn       INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_open_by_key ON jobs (access_key, background) WHERE state = 'in-progress';

ALTER TABLE access_keys ADD COLUMN background INTEGER NOT NULL DEFAULT 0;
