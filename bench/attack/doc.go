// Program attack sends a server what strangers may send it, and shows whether a caller with a good key is still answered.
//
//	go run ./bench/attack [--for 15s] [--connections 500] [--only NAME] [--spotter bin/spotter]
//
// It starts a server of its own on loopback, attacks that and nothing else, and stops it. While an attack goes on, a caller with a
// good key asks for something small ten times a second and never tries again; the table shows how many of its requests were
// answered, how long they took, and how the server's memory and log have grown. The attacks come from one address, as they come
// from the caller's own: the worst case for shares by address. The status is 1 if fewer than 95 % of the good requests were
// answered under any attack.
package main
