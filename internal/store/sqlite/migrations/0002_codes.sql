-- +goose Up

-- What a collection in memory has of its faces, a quarter of their size: so that a start need not read vectors. In a table of
-- its own, where nothing else lies between. A face without a code, as all are that were enrolled before there was this table,
-- gets one when its collection has been loaded.
CREATE TABLE codes (
    collection INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    code       BLOB    NOT NULL,
    PRIMARY KEY (collection, id),
    FOREIGN KEY (collection, id) REFERENCES faces (collection, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
