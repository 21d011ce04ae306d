-- +goose Up

-- What the segments of a job's video gave may serve other jobs as well: source is the job whose plan and segments are used, NULL for the job's
-- own. segment_bytes is how large the segments are together.
ALTER TABLE jobs ADD COLUMN source        INTEGER;
ALTER TABLE jobs ADD COLUMN segment_bytes INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_by_source ON jobs (source) WHERE source IS NOT NULL;

-- Jobs whose segments others may use. key is a hash of everything that decides them; NULL once nobody may use them any more. bytes is how large
-- they are once they are complete; expires is 0 while the job is in progress.
CREATE TABLE analyses (
    job        INTEGER PRIMARY KEY,
    key        BLOB    UNIQUE,
    background INTEGER NOT NULL,
    complete   INTEGER NOT NULL DEFAULT 0,
    bytes      INTEGER NOT NULL DEFAULT 0,
    expires    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX analyses_expiring ON analyses (expires);
