-- +goose Up

-- See SQLite's for what it means.
ALTER TABLE jobs ADD COLUMN access_key TEXT    COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN background BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE jobs ADD COLUMN turn       BIGINT  NOT NULL DEFAULT 0;
CREATE INDEX jobs_open_by_key ON jobs (access_key, background) WHERE state = 'in-progress';

ALTER TABLE access_keys ADD COLUMN background BOOLEAN NOT NULL DEFAULT FALSE;
