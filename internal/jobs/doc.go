// Package jobs runs the service's tasks: it keeps them in the database beside the rows that make them necessary, hands
// them to a [Worker] as slots come free, tries again what failed, and goes on after a crash where it stood.
//
// The queue itself is River. This package says which tasks there are, in what order they are run, how often they are
// tried and what a stop means; it refuses to know what a task does, and everything about HTTP, videos and faces.
//
// # Tasks and rows
//
// A task is one row of river_job for as long as it is waiting, running or to be tried again, however often it is
// enqueued meanwhile. Once it is done its row counts for nothing, and the same task may be enqueued anew: tasks may be
// repeated, so that is how one is recovered whose outcome was lost. Done rows go away after [Config.Keep].
//
// # Order
//
// Plan, segment and finish tasks have slots of their own, so that none of them waits for another kind. Those of background jobs are run while
// no others wait. Segments are run by their turns, the lowest first, and other tasks in the order in which they were enqueued; one
// that was tried before, or was handed back, goes before all that were not, because its job is nearer to its end.
//
// # Failures
//
// An attempt that fails, panics or takes longer than [Config.Timeout] is repeated after a while that triples each time.
// When [Config.Attempts] of them have failed, [Worker.GiveUp] is called until it succeeds. An attempt that a graceful
// stop has cut short does not count. One that ended with its process is counted by itself, and allowed more often
// ([Config.Crashes]): it seldom is the task's fault, but a task that does kill its process must come to an end too.
//
// A task that this process cannot do, and another one may, is passed on: it waits for a moment and counts as not having been
// tried. In the end it is given up too ([Config.Elsewhere]).
//
// River counts every start of a task and keeps an error for every failure, and takes back the start of a task that is
// handed back; what is left are the starts that ended with their process. So no table of our own is needed.
//
// # One owner, or several
//
// River has no heartbeat: it believes a running row until RescueStuckJobsAfter has passed. Where one process owns
// the database ([Config.Recover]) every row that is running at its start was left by a dead one, and is taken back at once.
// Where processes share one, each keeps a row that says when it was last alive, by the database's clock. Whoever lives takes back
// the rows of those that have been silent for too long; and a process that could not say that it lives stops what it is
// running before the others take it. One that was only slow may still come to an end beside its successor: what tasks
// write must be the same, or count once, and who enqueues tasks must look now and then whether any is missing.
package jobs
