//go:build race

package jobs_test

// many is fewer with the race detector, under which the database takes ten times as long.
const many = 200
