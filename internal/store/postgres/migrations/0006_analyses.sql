-- +goose Up

-- See SQLite's for what it means.
ALTER TABLE jobs ADD COLUMN source        BIGINT;
ALTER TABLE jobs ADD COLUMN segment_bytes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_by_source ON jobs (source) WHERE source IS NOT NULL;

CREATE TABLE analyses (
    job        BIGINT  PRIMARY KEY,
    key        BYTEA   UNIQUE,
    background BOOLEAN NOT NULL,
    complete   BOOLEAN NOT NULL DEFAULT FALSE,
    bytes      BIGINT  NOT NULL DEFAULT 0,
    expires    BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX analyses_expiring ON analyses (expires);
