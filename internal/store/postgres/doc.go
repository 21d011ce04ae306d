// Package postgres keeps Spotter's rows in a PostgreSQL database, which many processes share. The SQL is that of package sqlstore; here are
// the tables, how a database is opened, which of its failures pass, and how several processes bring its tables up to date.
//
// # Versions side by side
//
// Tables are only ever added to, so that processes of an older version go on beside newer ones during an upgrade. A migration that
// older programs cannot live with says so in the table of compatibility, with the oldest version of the tables that a program must
// know; one that does not know it refuses to start.
//
// # Failures
//
// Connections break, a standby takes over, transactions deadlock: such errors are of the kind [service.Unavailable], and whoever asked
// may ask again. Of a commit whose answer was lost nobody knows whether it happened: all that Spotter writes can be written
// again, or is told apart by a request token.
package postgres
