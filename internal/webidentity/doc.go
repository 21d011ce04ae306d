// Package webidentity checks the tokens of identity providers that speak OpenID Connect: those of a CI system, a cluster or a
// single sign-on.
//
// A [Checker] asks its provider for its keys when it first needs them, and again when a token names another key, but never more
// often than once a second: whoever reaches the server can send a token. It refuses to know what a token is good for.
package webidentity
