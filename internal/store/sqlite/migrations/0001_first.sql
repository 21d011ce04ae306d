-- +goose Up

-- id is NULL once a collection has been deleted. faces and users are how many there are.
CREATE TABLE collections (
    serial  INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT    UNIQUE,
    model   TEXT    NOT NULL,
    version TEXT    NOT NULL,
    created INTEGER NOT NULL,
    faces   INTEGER NOT NULL DEFAULT 0 CHECK (faces >= 0),
    users   INTEGER NOT NULL DEFAULT 0 CHECK (users >= 0)
) STRICT;

CREATE TABLE tags (
    collection INTEGER NOT NULL REFERENCES collections (serial),
    tag        TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    PRIMARY KEY (collection, tag)
) STRICT, WITHOUT ROWID;

-- faces is how many there are of this user.
CREATE TABLE users (
    serial     INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL REFERENCES collections (serial),
    id         TEXT    NOT NULL,
    faces      INTEGER NOT NULL DEFAULT 0 CHECK (faces >= 0),
    UNIQUE (collection, id)
) STRICT;
CREATE INDEX users_in_order ON users (collection, serial);

-- Without row ids the rows themselves lie in the order of their keys, so that a collection is read from one end to the other
-- without jumping about. seen and vector are float32 values, little-endian. owner is a user's id. It is no foreign key: to
-- check it when a user is deleted SQLite would read the whole collection, because it does not use the index below for that.
CREATE TABLE faces (
    collection  INTEGER NOT NULL REFERENCES collections (serial),
    id          BLOB    NOT NULL,
    image       BLOB    NOT NULL,
    external_id TEXT    NOT NULL,
    version     TEXT    NOT NULL,
    owner       TEXT,
    seen        BLOB    NOT NULL,
    vector      BLOB    NOT NULL,
    PRIMARY KEY (collection, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX faces_by_owner ON faces (collection, owner, id) WHERE owner IS NOT NULL;

-- id is NULL once a job has been deleted. segments is NULL as long as there is no plan. collection is by name and number: the
-- collection may be gone before the job is.
CREATE TABLE jobs (
    serial            INTEGER PRIMARY KEY AUTOINCREMENT,
    id                TEXT    UNIQUE,
    operation         TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    message           TEXT    NOT NULL,
    bucket            TEXT    NOT NULL,
    object_key        TEXT    NOT NULL,
    object_version    TEXT    NOT NULL,
    size              INTEGER NOT NULL,
    etag              TEXT    NOT NULL,
    pinned_version    TEXT    NOT NULL,
    collection        TEXT    NOT NULL,
    collection_serial INTEGER NOT NULL,
    threshold         REAL    NOT NULL,
    attributes        INTEGER NOT NULL,
    tag               TEXT    NOT NULL,
    topic             TEXT    NOT NULL,
    role              TEXT    NOT NULL,
    created           INTEGER NOT NULL,
    finished          INTEGER NOT NULL,
    expires           INTEGER NOT NULL,
    segments          INTEGER,
    segments_done     INTEGER NOT NULL DEFAULT 0,
    results           TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, serial);
CREATE INDEX jobs_expiring ON jobs (expires) WHERE expires > 0;

-- A table of its own, because an update writes the whole row and a plan is large.
CREATE TABLE plans (
    job   INTEGER PRIMARY KEY REFERENCES jobs (serial),
    about TEXT    NOT NULL,
    data  BLOB    NOT NULL
) STRICT;

CREATE TABLE segments (
    job    INTEGER NOT NULL REFERENCES jobs (serial),
    number INTEGER NOT NULL,
    data   BLOB    NOT NULL,
    PRIMARY KEY (job, number)
) STRICT;

CREATE TABLE chunks (
    job    INTEGER NOT NULL REFERENCES jobs (serial),
    kind   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    data   BLOB    NOT NULL,
    PRIMARY KEY (job, kind, number)
) STRICT;

CREATE TABLE tokens (
    scope   TEXT    NOT NULL,
    token   TEXT    NOT NULL,
    input   BLOB    NOT NULL,
    result  BLOB    NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (scope, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_expiring ON tokens (expires);

CREATE TABLE notices (
    serial         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    topic          TEXT    NOT NULL,
    job            TEXT    NOT NULL,
    operation      TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    tag            TEXT    NOT NULL,
    bucket         TEXT    NOT NULL,
    object_key     TEXT    NOT NULL,
    object_version TEXT    NOT NULL,
    ended          INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    due            INTEGER NOT NULL,
    sinks          TEXT
) STRICT;
CREATE INDEX notices_due ON notices (due, serial);

CREATE TABLE access_keys (
    serial   INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    sealed   BLOB    NOT NULL,
    name     TEXT    NOT NULL,
    policy   TEXT    NOT NULL,
    disabled INTEGER NOT NULL,
    created  INTEGER NOT NULL
) STRICT;

CREATE TABLE counters (
    name TEXT    PRIMARY KEY,
    n    INTEGER NOT NULL CHECK (n >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, n) VALUES ('open jobs', 0), ('pings', 0);

-- What has been deleted by name and is still to be cleared away: the kind and its serial.
CREATE TABLE leftovers (
    kind   TEXT    NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (kind, serial)
) STRICT, WITHOUT ROWID;
