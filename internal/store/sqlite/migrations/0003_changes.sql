-- +goose Up

-- changes numbers the changes of a collection's faces: each transaction that adds, deletes or associates some raises it once. It
-- holds the row until it is kept, so the numbers of a collection are kept in their order. swept is the number up to which rows of
-- the table gone have been removed.
ALTER TABLE collections ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE collections ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;

-- changed is the number with which a face was added or got another owner; 0 for what was there before there were numbers.
ALTER TABLE faces ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX faces_by_change ON faces (collection, changed);

-- changed is the number with which the user's faces became others.
ALTER TABLE users ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

-- The faces that were deleted, for a while, so that processes which have them in memory learn of it.
CREATE TABLE gone (
    collection INTEGER NOT NULL REFERENCES collections (serial),
    changed    INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    deleted    INTEGER NOT NULL,
    PRIMARY KEY (collection, changed, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX gone_in_time ON gone (deleted);
