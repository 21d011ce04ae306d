// Package keys looks after access keys: the [Ring] of those in the database, and the key [File] that their secrets are sealed with.
//
// It makes keys and opens their secrets, and knows neither how requests are signed nor what policies mean: those are the business
// of the door that lets in by them.
package keys
