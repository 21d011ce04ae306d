-- +goose Up

-- What decides a job's results, as it was when the job was started. NULL for jobs of before.
ALTER TABLE jobs ADD COLUMN frozen TEXT;
