// Package onnx runs ONNX models with onnxruntime's shared library: the only room that touches it. It knows tensors of
// float32 and nothing of what they mean.
//
// A session computes on the goroutine that calls it, with one thread; work is spread by running several sessions at
// once (two threads in one session of a busy two-core machine were measured at ten times the time of one), which share the
// model as it is loaded. Inputs and outputs lie in Go memory that is made once per input shape and reused, so a run allocates nothing on the Go side.
package onnx
