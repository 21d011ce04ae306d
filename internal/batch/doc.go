// Package batch searches video files for the people of a folder, as the command line does: it lists what is named, refuses what
// cannot be meant before hours go into it, and hands out what was found video by video.
//
// [Search] does it with an engine of its own, several videos side by side, and tells what happens as an [Event]. What it finds in
// one video is a [Found], which an [Output] writes as a table, CSV, a page, or documents in the form of the API. Copies with boxes
// and names are written as whole files, and nothing is written over what is read.
//
// [Index] looks at videos once and keeps what they show in an archive; [Find] asks in which of them people are, and a [Search] can
// answer from it ([Request].In), or keep there what it looks at ([Request].Index). [Forget] takes videos out. [Members] lists the photos
// of a folder or of a CSV file for a server's collection.
//
// Reading photos and videos is the engine's business, and what reports look like is report's. Errors are [*fault.UsageError] and
// [*fault.EnvironmentError] for what a person can mend, [*NoFacesError], and [*IncompleteError] where videos failed while others
// did not.
package batch
