// Package sts is the wire of AWS's Security Token Service, as far as Spotter speaks it: the query protocol of version
// 2011-06-15, whose requests are forms and whose answers are XML.
//
// It refuses to know who callers are and what they may do. It holds no state, and all of it is safe for concurrent use.
package sts
