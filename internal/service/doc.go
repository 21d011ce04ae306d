// Package service is Spotter's use cases and their rules: collections of enrolled faces, users, photos looked at, and
// face searches in stored videos, which run as jobs.
//
// The doors (the API, the job runner, the notifier) call [Service]; it declares what it needs of the world as ports:
// [Store] keeps rows, [Objects] fetches photos and videos, [Photos] and [Videos] see faces, a [Gallery] finds the nearest
// ones. It imports face only and refuses to know HTTP, SQL, the job queue, decoders, models and the spellings of any API:
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
// All methods of [Service] are safe for concurrent use. Changes of one collection take turns; searches never wait for them.
package service
