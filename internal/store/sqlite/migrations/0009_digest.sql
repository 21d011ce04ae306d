-- +goose Up

-- digest tells which faces a collection has and whose they are: the XOR of 64 bits for each face, and for each that it is somebody's.
-- digested is how many changes it has taken in. Fewer than there were: the others were made by a program that knew of no digest, and
-- it is off by what these were. -1 where there were faces before there were numbers: that is one fewer, too.
ALTER TABLE collections ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN digested INTEGER NOT NULL DEFAULT 0;
UPDATE collections SET digested = -1 WHERE faces > 0 AND changes = 0;
