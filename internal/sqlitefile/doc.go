// Package sqlitefile opens the SQLite files of Spotter's: what is true of each of them, whatever its tables hold. It tells
// them from other files by a mark in their header, keeps a second process from writing, brings the tables up to date, and
// sets the connections up: one that writes, several that only read.
//
//	kind := &sqlitefile.Kind{Mark: 0x53706f74, Name: "a database of Spotter", ...}
//	db, err := kind.Open(ctx, path)
//	defer db.Close()
//	tx, err := db.Writer().BeginTx(ctx, nil)
//
// # Two layouts
//
// With a write-ahead log ([Kind].Log) those who read wait for no one, and no one for them, and two files lie beside the
// database while it is open. That needs memory which processes share: a local disk.
//
// Without one a file is alone when nobody writes to it. It may lie on a network's file system and, to be read, on a medium
// that cannot be written. A transaction waits at its end until nobody reads, and those who read wait while it is written: who
// uses such a file reads a little at a time.
//
// In both a change is on the disk (synchronous=FULL) when the transaction's end has returned, and outlives the process however
// that ends. Without a log a loss of power may undo the last one, wholly.
package sqlitefile
