// Package onnxgraph reads, edits, builds and writes ONNX model files: just as much of the format as making the model
// pack and testing detectors need. It runs nothing (package onnx does) and knows no faces.
//
// A model is read into a few typed parts (graph, nodes, attributes, tensors, ports). Every field of the file that has
// no typed part here is kept as the bytes it came in and written back, so that an edit changes what it says and no
// more. Writing is deterministic: one model, one sequence of bytes. The field numbers are those of the public ONNX
// protobuf schema (onnx.proto, IR version 3 and later); only its default encoding is used, so no generated code.
package onnxgraph
