package model

import "time"

// EpochSeconds is a time as the wire has it: seconds since 1970 with a fraction, as a JSON number. It is exact to the
// millisecond.
type EpochSeconds float64

// Epoch is a time on the wire.
func Epoch(t time.Time) *EpochSeconds { return new(EpochSeconds(float64(t.UnixMilli()) / 1000)) }
