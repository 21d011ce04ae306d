// Package process runs programs and says what they took: processor time, wall time and memory, the processes that they start
// included. Costs are compared within one run, by medians of rounds.
//
// It knows nothing of what the programs do.
package process
