-- +goose Up

-- Which process delivers a notice, and until when it is its alone, in milliseconds since 1970 by the database's clock.
ALTER TABLE notices ADD COLUMN claimant TEXT NOT NULL DEFAULT '';
ALTER TABLE notices ADD COLUMN claimed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX notices_claimed ON notices (claimant) WHERE claimed > 0;

-- What tells the key file that access keys are sealed with from others; one row at most.
CREATE TABLE sealer (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    print BLOB    NOT NULL
) STRICT;
