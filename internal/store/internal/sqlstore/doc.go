// Package sqlstore is service.Store in SQL that SQLite and PostgreSQL have in common: $1 placeholders, ON CONFLICT,
// RETURNING and row values. What differs, the tables' column types and how a database is opened, is the business of the
// packages sqlite and postgres beside it, which bring their connections in a [Config]. It refuses to know which of the two
// it talks to, and knows no files, job queue or face arithmetic.
//
// # Columns
//
// Times are milliseconds since 1970 as BIGINT, 0 for none; ids of faces their 16 bytes; vectors and detections float32
// values, little-endian, one after another; anything else with structure is JSON as text.
//
// # Taking turns
//
// A transaction that changes a collection, a user or a job begins by updating its row, which locks it until the end. So
// counts of faces, users and segments are columns that are right, and never COUNT(*) over a million rows. In SQLite all
// writing transactions take turns anyway.
//
// # Numbers of changes
//
// A transaction that adds, deletes or associates faces raises the number in the collection's row, once, and leaves it with each
// of these faces, or in the table gone. As the row is locked until the commit, the numbers of one collection are
// committed in their order: whoever has read up to a number finds all that comes later above it ([Store.Changes]). The same
// statement takes the change into the collection's digest. Programs from before there were digests raise the number alone: by
// so much the number of changes that the digest has taken in stays behind for good.
//
// # Deleting what is large
//
// A collection or a job that is deleted only loses its name, which nobody can find it by any more, and leaves a row in the
// table of leftovers. [Store.Sweep] then removes what it held in many short transactions, so that no one else has to wait
// for a million rows. Numbers are never used twice.
package sqlstore
