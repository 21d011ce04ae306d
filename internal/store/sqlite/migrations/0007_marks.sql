-- +goose Up

-- The marks of files in which processes keep collections beside the database. A file whose mark is not here is not of this database, or of
-- a state that it has been put back from. seen is when the file was written or read last.
CREATE TABLE marks (
    collection INTEGER NOT NULL REFERENCES collections (serial),
    mark       BLOB    NOT NULL,
    seen       INTEGER NOT NULL,
    PRIMARY KEY (collection, mark)
) STRICT, WITHOUT ROWID;
CREATE INDEX marks_in_time ON marks (seen);
