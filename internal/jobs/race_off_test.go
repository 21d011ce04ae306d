//go:build !race

package jobs_test

// many is how many segments a video of a day and a half has.
const many = 2000
