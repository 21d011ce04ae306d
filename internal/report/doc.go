// Package report shows a person what a search found: a table for a terminal, rows for a spreadsheet, a web page to send
// to a colleague, and subtitles that mark the faces in the video itself.
//
// All of them tell the same story, the one of [Summarise]: sightings merged into intervals, a face counted for the
// enrolled person that it resembles most, persons without any match as strangers. Of many videos it is told video by video,
// or person by person, as [Overlook] has it.
//
// Names come from folders and files of strangers, so each renderer neutralises them for where they end up. The package
// knows results and how they are shown; it opens no files, and knows nothing of how faces are found. Its functions are
// safe for concurrent use and give the same bytes for the same input.
package report
