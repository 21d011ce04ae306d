// Command load measures a whole server as its users meet it: bin/spotter serve on a data folder of its own, asked through
// Amazon's SDK.
//
//	go run ./bench/load [--parts idle,photos,jobs,galleries,results] [--clients 200] [--for 2m] [--json]      # or: make load
//	go run ./bench/load --parts soak [--soak 1h]                                          # or: make soak
//
// The parts, each with a server of its own:
//
//	idle       what a server without anything to do takes of a core
//	photos     enrolling faces and searching by photo, by one client and by one for each core
//	jobs       many clients that start face searches and ask for results, beside the jobs that are running: first one client
//	           that only keeps the queue full, for comparison, then all of them with pauses, then without any
//	galleries  starting with, and searching in, collections of growing size
//	results    reading a job with a million sightings from its first page to its last
//	soak       only if it is named: everything at once, for an hour, and what grows meanwhile
//
// A soak fails if the median of a figure over the last quarter of the time is above that over the first by more than a tenth
// and what changes without a leak (soak.go has the figures). The first is taken when the server has been working for a tenth
// of the time, so that its caches are full.
//
// Every answer is seen, for the SDK's own repetitions are switched off. LimitExceededException is Rekognition's documented
// answer to more than 20 open jobs and counted apart; every other error is a failure, and the program's status says so.
//
// Clients share the machine with the server, so that its own limit is higher than what is measured; compare figures of one
// run with each other. The collections are filled through the store, with random directions, which are as much work to
// search as faces are. With --profile FOLDER the server runs within a copy of this program that writes processor profiles.
package main
