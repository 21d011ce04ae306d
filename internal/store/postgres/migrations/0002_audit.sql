-- +goose Up

-- See SQLite's.
CREATE TABLE audit (
    serial     BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    written    BIGINT NOT NULL,
    access_key TEXT   COLLATE "C" NOT NULL,
    operation  TEXT   COLLATE "C" NOT NULL,
    faces      BIGINT NOT NULL,
    entry      TEXT   NOT NULL
);
CREATE INDEX audit_in_time ON audit (written, serial);
CREATE INDEX audit_by_key ON audit (access_key, serial);
CREATE INDEX audit_by_operation ON audit (operation, serial);
CREATE INDEX audit_of_faces ON audit (serial) WHERE faces > 0;
