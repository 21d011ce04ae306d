// Package queueserver starts a real server of Amazon SNS and SQS for tests and the walk-through: goaws, which keeps topics
// and queues in memory and lets everybody in.
//
// It knows how to start the server and nothing of who talks to it.
package queueserver
