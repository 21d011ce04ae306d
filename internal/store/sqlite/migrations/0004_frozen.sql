-- +goose Up

-- frozen is what decides a job's results, as it was when the job was started. NULL for jobs of before. attempt is the one at the
-- job's end whose chunks are the results, 0 for jobs of before. segments_queued is how many of the segments, from the first, have been
-- put into the job queue.
ALTER TABLE jobs ADD COLUMN frozen TEXT;
ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN segments_queued INTEGER NOT NULL DEFAULT 0;

-- Two attempts to end a job write chunks side by side.
CREATE TABLE chunks_by_attempt (
    job     INTEGER NOT NULL REFERENCES jobs (serial),
    attempt INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    data    BLOB    NOT NULL,
    PRIMARY KEY (job, attempt, kind, number)
) STRICT;
INSERT INTO chunks_by_attempt (job, attempt, kind, number, data)
    SELECT job, 0, kind, number, data FROM chunks ORDER BY job, kind, number;
DROP TABLE chunks;
ALTER TABLE chunks_by_attempt RENAME TO chunks;
