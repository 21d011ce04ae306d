// Package sqlite keeps everything that outlives the process in one SQLite file: it says what kind of file that is, has the
// tables, and hands them to the SQL that all stores share. It refuses to know what the rows mean.
//
// # One file, one process
//
// A file beside the database, with ".lock" after its name, is locked as long as it is open, so that no second process works
// on the same jobs. All changes go through one connection, which the job queue uses too: a job and its first task are
// written in one transaction. Several further connections read only, and see the state at the time they began; they wait
// for no one. A backup is a reader too, and may be made by another process with [BackupFile].
//
// A change is on the disk (write-ahead log, synchronous=FULL) when a method has returned.
package sqlite
