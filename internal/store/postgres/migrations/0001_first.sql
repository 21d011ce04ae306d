-- +goose Up

-- The tables are those of SQLite (see there for what they mean), with two differences. Texts are compared by their bytes, as SQLite
-- does. What is large, and is compressed already or cannot be, is not compressed again.

-- needs is the least version of these tables that a program must know to work with them.
CREATE TABLE compatibility (
    needs BIGINT NOT NULL
);
INSERT INTO compatibility (needs) VALUES (1);

CREATE TABLE collections (
    serial  BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id      TEXT   COLLATE "C" UNIQUE,
    model   TEXT   NOT NULL,
    version TEXT   NOT NULL,
    created BIGINT NOT NULL,
    faces   BIGINT NOT NULL DEFAULT 0 CHECK (faces >= 0),
    users   BIGINT NOT NULL DEFAULT 0 CHECK (users >= 0),
    changes BIGINT NOT NULL DEFAULT 0,
    swept   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE tags (
    collection BIGINT NOT NULL REFERENCES collections (serial),
    tag        TEXT   COLLATE "C" NOT NULL,
    value      TEXT   NOT NULL,
    PRIMARY KEY (collection, tag)
);

CREATE TABLE users (
    serial     BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    collection BIGINT NOT NULL REFERENCES collections (serial),
    id         TEXT   COLLATE "C" NOT NULL,
    faces      BIGINT NOT NULL DEFAULT 0 CHECK (faces >= 0),
    changed    BIGINT NOT NULL DEFAULT 0,
    UNIQUE (collection, id)
);
CREATE INDEX users_in_order ON users (collection, serial);

CREATE TABLE faces (
    collection  BIGINT NOT NULL REFERENCES collections (serial),
    id          BYTEA  NOT NULL,
    image       BYTEA  NOT NULL,
    external_id TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    owner       TEXT   COLLATE "C",
    seen        BYTEA  NOT NULL,
    vector      BYTEA  NOT NULL,
    changed     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (collection, id)
);
CREATE INDEX faces_by_change ON faces (collection, changed);
ALTER TABLE faces ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE INDEX faces_by_owner ON faces (collection, owner, id) WHERE owner IS NOT NULL;

CREATE TABLE gone (
    collection BIGINT NOT NULL REFERENCES collections (serial),
    changed    BIGINT NOT NULL,
    id         BYTEA  NOT NULL,
    deleted    BIGINT NOT NULL,
    PRIMARY KEY (collection, changed, id)
);
CREATE INDEX gone_in_time ON gone (deleted);

CREATE TABLE codes (
    collection BIGINT NOT NULL,
    id         BYTEA  NOT NULL,
    code       BYTEA  NOT NULL,
    PRIMARY KEY (collection, id),
    FOREIGN KEY (collection, id) REFERENCES faces (collection, id) ON DELETE CASCADE
);
ALTER TABLE codes ALTER COLUMN code SET STORAGE PLAIN;

CREATE TABLE jobs (
    serial            BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id                TEXT    COLLATE "C" UNIQUE,
    operation         TEXT    NOT NULL,
    state             TEXT    COLLATE "C" NOT NULL,
    message           TEXT    NOT NULL,
    bucket            TEXT    NOT NULL,
    object_key        TEXT    NOT NULL,
    object_version    TEXT    NOT NULL,
    size              BIGINT  NOT NULL,
    etag              TEXT    NOT NULL,
    pinned_version    TEXT    NOT NULL,
    collection        TEXT    NOT NULL,
    collection_serial BIGINT  NOT NULL,
    threshold         DOUBLE PRECISION NOT NULL,
    attributes        BOOLEAN NOT NULL,
    tag               TEXT    NOT NULL,
    topic             TEXT    NOT NULL,
    role              TEXT    NOT NULL,
    created           BIGINT  NOT NULL,
    finished          BIGINT  NOT NULL,
    expires           BIGINT  NOT NULL,
    segments          BIGINT,
    segments_done     BIGINT  NOT NULL DEFAULT 0,
    results           TEXT,
    frozen            TEXT,
    attempt           BIGINT  NOT NULL DEFAULT 0,
    segments_queued   BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_state ON jobs (state, serial);
CREATE INDEX jobs_expiring ON jobs (expires) WHERE expires > 0;

CREATE TABLE plans (
    job   BIGINT PRIMARY KEY REFERENCES jobs (serial),
    about TEXT   NOT NULL,
    data  BYTEA  NOT NULL
);

CREATE TABLE segments (
    job    BIGINT NOT NULL REFERENCES jobs (serial),
    number BIGINT NOT NULL,
    data   BYTEA  NOT NULL,
    PRIMARY KEY (job, number)
);

CREATE TABLE chunks (
    job     BIGINT NOT NULL REFERENCES jobs (serial),
    attempt BIGINT NOT NULL,
    kind    BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    data    BYTEA  NOT NULL,
    PRIMARY KEY (job, attempt, kind, number)
);

CREATE TABLE tokens (
    scope   TEXT   COLLATE "C" NOT NULL,
    token   TEXT   COLLATE "C" NOT NULL,
    input   BYTEA  NOT NULL,
    result  BYTEA  NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (scope, token)
);
CREATE INDEX tokens_expiring ON tokens (expires);

CREATE TABLE notices (
    serial         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id             TEXT   COLLATE "C" NOT NULL UNIQUE,
    topic          TEXT   NOT NULL,
    job            TEXT   NOT NULL,
    operation      TEXT   NOT NULL,
    state          TEXT   NOT NULL,
    tag            TEXT   NOT NULL,
    bucket         TEXT   NOT NULL,
    object_key     TEXT   NOT NULL,
    object_version TEXT   NOT NULL,
    ended          BIGINT NOT NULL,
    attempts       BIGINT NOT NULL,
    due            BIGINT NOT NULL,
    sinks          TEXT,
    claimant       TEXT   COLLATE "C" NOT NULL DEFAULT '',
    claimed        BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX notices_due ON notices (due, serial);
CREATE INDEX notices_claimed ON notices (claimant) WHERE claimed > 0;

CREATE TABLE access_keys (
    serial   BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id       TEXT    COLLATE "C" NOT NULL UNIQUE,
    sealed   BYTEA   NOT NULL,
    name     TEXT    NOT NULL,
    policy   TEXT    NOT NULL,
    disabled BOOLEAN NOT NULL,
    created  BIGINT  NOT NULL
);

CREATE TABLE sealer (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    print BYTEA  NOT NULL
);

CREATE TABLE counters (
    name TEXT   COLLATE "C" PRIMARY KEY,
    n    BIGINT NOT NULL CHECK (n >= 0)
);
INSERT INTO counters (name, n) VALUES ('open jobs', 0), ('pings', 0);

CREATE TABLE leftovers (
    kind   TEXT   COLLATE "C" NOT NULL,
    serial BIGINT NOT NULL,
    PRIMARY KEY (kind, serial)
);
