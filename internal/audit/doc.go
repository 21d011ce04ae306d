// Package audit writes down who did what, when, and what came of it: one JSON document a line, appended to a file that log rotation
// may move away.
//
// [Log] writes entries, and [Events] adds which faces a request has enrolled or deleted, which only the service knows. What a
// request of the API was about is put into an [Entry] by the wiring: so this package needs to know no door, and every door and
// every command can write to the same log.
package audit
