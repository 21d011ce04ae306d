// Chaos runs two processes that serve and three that work on one PostgreSQL database, breaks things around them at random, and checks
// what must hold all the same:
//
//   - every job that was accepted ends, SUCCEEDED with the bytes of an undisturbed run, or FAILED for a reason that was really there;
//   - every end of a job is told at least once, and nothing that contradicts the job;
//   - no request token starts two jobs;
//   - no face is missing whose enrolment was answered, and none is found whose deletion was: the histories of concurrent
//     IndexFaces, DeleteFaces and SearchFacesByImage over both processes are linearizable for each collection.
//
// What breaks: processes are killed, stopped and terminated; the database's connections are cut, hang and slow down; the database crashes
// and starts again, and a standby takes over from it; the S3 server answers 500, slowly, and with bodies that end early; the webhook is
// away; the disk of the downloads is full. A seed repeats the order of what is done, not what the machine makes of it.
//
//	go run ./bench/chaos --for 3m --seed 7
package main
