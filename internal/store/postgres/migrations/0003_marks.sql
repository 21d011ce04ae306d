-- +goose Up

-- See SQLite's for what it means.
CREATE TABLE marks (
    collection BIGINT NOT NULL REFERENCES collections (serial),
    mark       BYTEA  NOT NULL,
    seen       BIGINT NOT NULL,
    PRIMARY KEY (collection, mark)
);
CREATE INDEX marks_in_time ON marks (seen);
