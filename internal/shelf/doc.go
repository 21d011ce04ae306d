// Package shelf keeps collections of enrolled faces in memory, for as long as there is room: galleries of their faces and of their
// users, and whose the faces are. It follows the store, which is the truth and which other processes change as well.
//
// It knows serials, ids, codes and vectors. It refuses to know what a face or a user is to the service, the errors of the
// store but for [ErrGone], and SQL; it declares what it needs of the store ([Feed]) and of a gallery ([Gallery]). Neighbours:
// package service acquires views, and changes nothing here; package gallery has the galleries.
//
// # Numbers
//
// The store numbers the changes of each collection, in the order in which they are kept. Whoever wants to search reads the
// collection's row anyway, and with it the number that memory must have reached. [Shelf.Acquire] gives a [View] of the
// collection at that number or a later one. Where memory is current that costs a lock; otherwise one small query first. So
// what a process has answered is seen by every request that any process begins to answer later.
//
// # Following
//
// The only writer of memory is the flight of a collection: it loads it, or reads what has changed since the number that memory
// has ([Feed.Changes]). There is one at a time for a collection; all who need it wait for it, and when the one who began it
// goes away it ends its work all the same. It publishes a new state when everything has been read that belongs to its number,
// and on an error nothing: the next one begins again at the old number, and finds done in the galleries what was done already.
//
// A load reads codes page by page, while others go on changing the collection, and then follows from the number that was known
// before it began. So it ends in one state of the store, too.
//
// # Digests
//
// A store that loses changes, as a database that fails over, may come to a number that memory has by others. So the store keeps a digest
// of which faces there are with the number, and memory makes its own. It begins anew where the two part: where a request has read
// another digest at the same number, or after it has followed. Programs from before there were digests leave them as they are, and the
// store counts these changes: memory takes the difference from its load, and compares as long as their count stays.
//
// # Views
//
// A view is immutable: snapshots of the two galleries, which share their memory with what comes later, and trees of owners that
// are copied where they are changed. Views of one state share its snapshots, so that their searches are made together. A face
// that has been deleted in the store is found by nobody, not even in a view from before: its original is gone ([Originals]).
//
// # Files
//
// Large collections are kept in files as well ([Files]), from which a load begins where the store knows the file's mark; then it follows as
// usual. What does not fit together is destroyed and read from the store. A file never outlives a deletion that memory has taken in. Files
// are written ([Shelf.KeepFiles]) and overwritten beside everything else; removing them ([Shelf.TidyFiles]) only takes their names.
//
// # Room
//
// Where there is a limit ([Config].Most) and it is passed, collections are unloaded that nobody has a view of or waits for, the
// least recently used first, but for the one that was used last. One that is unloaded is loaded by the next who needs it. A limit
// that views keep from being held is held when they are released.
//
// All methods are safe for concurrent use.
package shelf
