// Command gen writes the generated files of package model: structs, shape descriptors and the operations, out of the
// official service model of Rekognition, api-2.json in the module github.com/aws/aws-sdk-go. The go command fetches that
// module and verifies it; it is no dependency of the product.
//
// It carries facts over (names, types, bounds, patterns, values) and no sentences. A pattern that it cannot translate, and
// a type that it does not know, end it with an error.
package main
