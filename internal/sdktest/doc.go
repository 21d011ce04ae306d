// Package sdktest tests the API as its users meet it: it builds the program, starts `spotter serve` with folders as buckets,
// and drives every operation with the official Go SDK, one file per action. Whatever the server answers on the way is held
// against the service model. A smaller run does the same with what else people have installed: boto3, the AWS command line
// and the JavaScript SDK, which also runs in web pages in Chromium. Strangers come with sockets of their own.
//
// The tests know the API and the program's flags, and nothing of what is behind them. They need what 'make setup' makes: the
// model pack, and the photos that people and a film are made of. Without it they are skipped, unless the environment
// variable SPOTTER_TEST_EVERYTHING is set.
package sdktest
