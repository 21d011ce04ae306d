// Package gate stands before the doors of a listener, where anybody can knock: it refuses requests that name a host which is not
// this server's ([Hosts]) and requests whose end is not sure, holds a bounded number of connections ([Gate]), and keeps logs
// from being filled by what can be repeated ([Sparing], [Tally]).
//
// It knows HTTP and nothing of what is behind it. All of it is safe for concurrent use.
package gate
