// Package service is Spotter's use cases and their rules: collections of enrolled faces, users, photos looked at, and
// face searches in stored videos, which run as jobs.
//
// The doors (the API, the job runner, the notifier) call [Service]; it declares what it needs of the world as ports:
// [Store] keeps rows, [Objects] fetches photos and videos, [Photos] and [Videos] see faces. It imports face, and shelf for the
// collections in memory, and refuses to know HTTP, SQL, the job queue, decoders, models and the spellings of any API:
// an [Error] has a [Kind] and a sentence, and a door says them in its own words.
//
// # A face search
//
// [Service.StartJob] writes a [Job] and its first [Task] in one transaction. Tasks are run by [Service.Run], in any process
// and at least once each: a plan task looks at the video and cuts it into segments, segment tasks turn each into tracklets,
// and the finish task joins these, matches them against the collection as it is then, saves the results and ends the job
// together with its [Notice]. Every step replaces what an earlier attempt of it has saved, and every step is deterministic,
// so that a job that was interrupted anywhere ends with the same bytes.
//
// # Concurrency
//
// All methods of [Service] are safe for concurrent use, by several processes on one store as well. A use case changes the store and
// nothing else; memory follows when somebody searches. What a request decides by rows that it has read is checked by the
// store in the transaction that it leads to, and decided anew where somebody was quicker.
package service
