// Package storetest is what every implementation of service.Store must do, as a suite of tests that each of them runs. It
// knows the port and no database.
package storetest
