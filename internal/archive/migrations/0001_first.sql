-- +goose Up

-- What videos contain: sum is the SHA-256 of a file's bytes. There is none here that no file has.
CREATE TABLE videos (
    id  INTEGER PRIMARY KEY AUTOINCREMENT,
    sum BLOB    NOT NULL UNIQUE CHECK (length(sum) = 32)
) STRICT;

-- The files that have been looked at. seconds since 1970 and nanos are when one was changed: in nanoseconds alone, years after 2262
-- would not fit. A path has any bytes.
CREATE TABLE files (
    path    BLOB    PRIMARY KEY,
    size    INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    nanos   INTEGER NOT NULL,
    video   INTEGER NOT NULL REFERENCES videos (id),
    failure TEXT    NOT NULL,
    sum     INTEGER NOT NULL -- a checksum of all but failure
) STRICT, WITHOUT ROWID;
CREATE INDEX files_by_video ON files (video, path);

-- What each track of a video gave. segments is how many the plan has. terms and plan end with a checksum each.
CREATE TABLE analyses (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    video    INTEGER NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
    track    INTEGER NOT NULL,
    terms    BLOB    NOT NULL,
    plan     BLOB    NOT NULL,
    segments INTEGER NOT NULL CHECK (segments >= 0),
    failure  TEXT    NOT NULL,
    UNIQUE (video, track)
) STRICT;

-- data and pictures end with a checksum each. The numbers of the segments that are there are read from the key alone.
CREATE TABLE segments (
    analysis INTEGER NOT NULL REFERENCES analyses (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    pictures BLOB    NOT NULL, -- last: who wants none of it does not read its pages
    PRIMARY KEY (analysis, number)
) STRICT;

-- What is looked through first, of each analysis that is complete: apart from the rest, which is many times as large.
CREATE TABLE codes (
    analysis INTEGER PRIMARY KEY REFERENCES analyses (id) ON DELETE CASCADE,
    data     BLOB    NOT NULL
) STRICT;
