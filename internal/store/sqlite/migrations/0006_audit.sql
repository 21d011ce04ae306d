-- +goose Up

-- The audit log, where it is kept in the database: entry is an entry as a document of JSON, in which all of it is; the other columns are
-- what it is looked for by. written is in milliseconds since 1970.
CREATE TABLE audit (
    serial     INTEGER PRIMARY KEY AUTOINCREMENT,
    written    INTEGER NOT NULL,
    access_key TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    faces      INTEGER NOT NULL, -- how many it says were enrolled or deleted
    entry      TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_in_time ON audit (written, serial);
CREATE INDEX audit_by_key ON audit (access_key, serial);
CREATE INDEX audit_by_operation ON audit (operation, serial);
CREATE INDEX audit_of_faces ON audit (serial) WHERE faces > 0;
