//go:build race

package crashtest

// usualKills is less under the race detector, where everything takes several times as long.
const usualKills = 4
