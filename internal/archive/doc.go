// Package archive keeps what was found out about videos in one SQLite file among a user's own: which files have been looked
// at, what they contain, and what each track of that gave, segment by segment. It knows files by their paths and videos by a
// hash of their bytes; what plans, segments and codes say is not its business.
//
//	a, err := archive.Open(ctx, "family.spotter")
//	defer a.Close()
//	err = a.Put(ctx, &file, sum)                    // this file has these bytes
//	err = a.Begin(ctx, file.Video, analyses)        // which will be analysed like this
//	err = a.SaveSegment(ctx, analyses[0].ID, 0, b, p)  // kept from here on, whatever happens
//	err = a.Complete(ctx, analyses[0].ID, codes, "")
//
// # Who sees what
//
// One process writes at a time; any number read meanwhile, this one's goroutines and other processes. Each method is one
// transaction, which others see wholly or not at all, except [Archive.Forget], which is one for some files each, and the
// methods that call a function for each of something. These read a part, let go of the file, and call the function for it, as
// whoever writes has to wait until nobody reads: the function may take its time, and may call other methods. So what is
// written meanwhile may be seen or not, where it comes in the order after what has been read already; what is removed may
// still be given; nothing is given twice.
//
// What a method that writes has said is kept outlives the process however that ends; a loss of power may undo the last
// transaction. What is deleted is overwritten, as it can tell people; its space is used again, and [Archive.Forget] gives it back.
package archive
