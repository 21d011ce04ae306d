package pgserver_test

import (
	"database/sql"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgserver.Tests{M: m}) }

// TestDatabases wants databases that know nothing of each other, and copies that know what was there.
func TestDatabases(t *testing.T) {
	first := pgserver.Database(t)
	do(t, first, `CREATE TABLE one (n INTEGER); INSERT INTO one VALUES (7)`)
	if err := try(first, `CREATE TABLE one (n INTEGER)`); err == nil {
		t.Error("a table is made twice")
	}
	do(t, pgserver.Copy(t, first), `INSERT INTO one SELECT n FROM one WHERE n = 7`)
	do(t, pgserver.Database(t), `CREATE TABLE one (n INTEGER)`)
}

// TestCrash wants what was committed to be there when the server starts again.
func TestCrash(t *testing.T) {
	s, err := pgserver.Launch(t.Context())
	if errors.Is(err, pgserver.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	do(t, s.URL("postgres"), `CREATE TABLE one (n INTEGER)`)
	s.Kill()
	if err := try(s.URL("postgres"), `SELECT 1`); err == nil {
		t.Error("a server that was killed answers")
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, s.URL("postgres"), `INSERT INTO one VALUES (1)`)
}

// TestFailover wants all that was committed to be where the standby takes over.
func TestFailover(t *testing.T) {
	first, err := pgserver.Launch(t.Context())
	if errors.Is(err, pgserver.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(first.Stop)
	second, err := first.Standby(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Stop)
	do(t, first.URL("postgres"), `CREATE TABLE one (n INTEGER)`)
	do(t, first.URL("postgres"), `INSERT INTO one VALUES (7)`)
	first.Kill()
	if err := second.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	do(t, second.URL("postgres"), `INSERT INTO one SELECT 1 / (n - 6) FROM one`)
}

func do(t *testing.T, database, statement string) {
	t.Helper()
	if err := try(database, statement); err != nil {
		t.Fatal(err)
	}
}

func try(database, statement string) error {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}
