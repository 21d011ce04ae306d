package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Away says whether an error of opening is that the database cannot be reached, or not at the moment, and not that it refuses.
func Away(err error) bool { return passes(err) }

// passes says whether an error is one of the server or of the way to it, which pass by themselves, and not of what was asked.
func passes(err error) bool {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return passing(e.Code)
	}
	if e := (*pgconn.ConnectError)(nil); errors.As(err, &e) {
		return true
	}
	if e := net.Error(nil); errors.As(err, &e) {
		return !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		strings.Contains(err.Error(), "conn closed") // pgx's, which has no name
}

// passing sorts the server's codes (PostgreSQL's manual, appendix A).
func passing(code string) bool {
	switch code[:min(2, len(code))] {
	case "08", // connection exception
		"53", // insufficient resources: connections, disk, memory
		"58": // system error
		return true
	}
	switch code {
	case "40001", "40P01", // serialisation failure, deadlock
		"25006",                   // read-only transaction: the server became a standby
		"25P03",                   // idle in a transaction for too long
		"55P03",                   // a lock is not available
		"57P01", "57P02", "57P03", // shut down, crashed, starting
		"57P05": // idle session
		return true
	}
	return false
}

// dialer makes connections that notice when the other side is gone: also while it owes an answer, when TCP itself waits for a quarter of
// an hour.
func dialer() *net.Dialer {
	return &net.Dialer{
		Timeout:         reach,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: unheard / 3, Interval: time.Second, Count: 10},
		Control:         boundUnanswered,
	}
}
