-- +goose Up

-- See SQLite's for what they mean.
ALTER TABLE collections ADD COLUMN digest BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN digested BIGINT NOT NULL DEFAULT 0;
UPDATE collections SET digested = -1 WHERE faces > 0 AND changes = 0;
