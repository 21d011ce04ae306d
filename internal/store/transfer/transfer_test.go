package transfer_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/sqlite"
	"github.com/spotter-video/spotter/internal/store/transfer"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgserver.Tests{M: m}) }

var day = time.Date(2026, 5, 4, 3, 2, 1, 987_000_000, time.UTC)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func none(context.Context, *sql.Tx, []service.Task) error { return nil }

func source(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "spotter.db"))
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	return db
}

func target(t *testing.T) *postgres.DB {
	t.Helper()
	url := pgserver.Database(t)
	_, _, err := postgres.Migrate(t.Context(), url, func() {}, func(context.Context, *postgres.DB) error { return nil })
	ok(t, err)
	db, err := postgres.Open(t.Context(), url)
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	return db
}

// fill has a store hold something of everything.
func fill(t *testing.T, s service.Store) {
	t.Helper()
	ctx := t.Context()
	gone := &service.Collection{ID: "gone", Model: "m", Version: "1", Created: day}
	ok(t, s.CreateCollection(ctx, gone))
	people := &service.Collection{ID: "people", Model: "m", Version: "1", Created: day, Tags: map[string]string{"ä": "b", "a": ""}}
	ok(t, s.CreateCollection(ctx, people))
	ok(t, s.DeleteCollection(ctx, "gone"))
	faces := make([]service.NewFace, 2500)
	for i := range faces {
		faces[i] = service.NewFace{Vector: []float32{float32(i), -1}, Code: []byte{byte(i), 0}}
		faces[i].ID, faces[i].ExternalID = face.ID{byte(i >> 8), byte(i), 255}, fmt.Sprint("face ", i)
	}
	_, err := s.AddFaces(ctx, people.Serial, faces, 5000)
	ok(t, err)
	ok(t, s.Mark(ctx, people.Serial, service.Mark{1, 0, 255}, day))
	token := &service.RequestToken{Scope: "s", Token: "t", Result: []byte("r"), Expires: day.AddDate(100, 0, 0)}
	ok(t, s.CreateUser(ctx, people.Serial, "ann", 10, token))
	ok(t, s.CreateKey(ctx, &service.AccessKey{ID: "AKIA1", Sealed: []byte{0, 1}, Sealer: []byte("print"), Disabled: true, Background: true, Created: day}))
	ok(t, s.AddAudit(ctx, []service.AuditEntry{{Time: day, Key: "AKIA1", Operation: "DeleteFaces", Deleted: []string{"a"}}}))
	for i, id := range []service.JobID{"open", "done"} {
		_, err = s.CreateJob(ctx, &service.Job{
			ID: id, Operation: service.FaceSearch, State: service.InProgress, Created: day, Threshold: 80.1, Attributes: i == 1,
			Key: "AKIA1", Background: i == 0,
		}, service.Places{OfKey: 5, All: 5}, nil, service.Task{Kind: service.PlanTask, Job: id})
		ok(t, err)
	}
	_, err = s.SavePlan(ctx, "open", &service.JobPlan{Segments: 2, Data: []byte{1}}, service.Pace{Ahead: 1, Turn: 9}, &service.Sharing{Key: service.AnalysisKey{7}})
	ok(t, err)
	_, err = s.EndJob(ctx, &service.Job{ID: "done", State: service.Failed, Message: "no", Finished: day, Expires: day.AddDate(100, 0, 0)},
		&service.Notice{ID: "notice", Job: "done", Ended: day, Due: day, Sinks: []string{"a"}}, 0)
	ok(t, err)
}

// TestEverythingIsCopied compares what two stores answer, and that the copy goes on as the original would.
func TestEverythingIsCopied(t *testing.T) {
	t.Parallel()
	from, to := source(t), target(t)
	one, two := sqlite.New(from, none), postgres.New(to, none)
	fill(t, one)
	ctx := t.Context()
	_, err := from.Writer().ExecContext(ctx, "UPDATE jobs SET message = 'a' || char(0) || x'ff' WHERE id = 'done'") // as older versions kept it
	ok(t, err)
	var told []string
	result, err := transfer.ToPostgreSQL(ctx, from, to, func(step, table string, rows, of int64) {
		if table == "faces" {
			told = append(told, fmt.Sprintf("%s %d/%d", step, rows, of))
		}
	})
	ok(t, err)
	want := []string{"copy 1000/2500", "copy 2000/2500", "copy 2500/2500", "compare 1000/2500", "compare 2000/2500", "compare 2500/2500"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("progress (-want +told):\n%s", diff)
	}
	if result.Mended != 1 || result.Rows["faces"] != 2500 || result.Rows["jobs"] != 2 {
		t.Errorf("copied: %+v", result)
	}
	for name, ask := range map[string]func(service.Store) (any, error){
		"collections": func(s service.Store) (any, error) { return s.Collections(ctx, 0, 9) },
		"tags":        func(s service.Store) (any, error) { return s.Tags(ctx, "people") },
		"faces":       func(s service.Store) (any, error) { return s.Faces(ctx, 2, service.FaceQuery{Limit: 5000}) },
		"vectors":     func(s service.Store) (any, error) { return s.Vectors(ctx, 2, []face.ID{{0, 7, 255}}) },
		"users":       func(s service.Store) (any, error) { return s.Users(ctx, 2, 0, 9) },
		"open job":    func(s service.Store) (any, error) { return s.Job(ctx, "open") },
		"token":       func(s service.Store) (any, error) { return s.Token(ctx, "s", "t", day) },
		"notices":     func(s service.Store) (any, error) { return s.DueNotices(ctx, day, 9) },
		"keys":        func(s service.Store) (any, error) { return s.Keys(ctx) },
		"audit":       func(s service.Store) (any, error) { return s.Audit(ctx, service.AuditQuery{Limit: 9}) },
		"sealer":      func(s service.Store) (any, error) { return s.Sealer(ctx) },
	} {
		a, wrong := ask(one)
		b, failed := ask(two)
		if err = errors.Join(wrong, failed); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if notices, is := a.([]service.Notice); is {
			notices[0].Message = "a\ufffd\ufffd"
		}
		if diff := cmp.Diff(a, b); diff != "" || reflect.ValueOf(a).IsZero() {
			t.Errorf("%s (-source +copy):\n%s", name, diff)
		}
	}
	// Numbers go on where they were, and what was to be cleared away still is.
	next := &service.Collection{ID: "next", Created: day}
	ok(t, two.CreateCollection(ctx, next))
	if next.Serial != 3 {
		t.Errorf("the next collection has the number %d", next.Serial)
	}
	open, err := two.OpenJobs(ctx)
	ok(t, err)
	if diff := cmp.Diff([]service.OpenJobs{{Key: "AKIA1", Background: true, Jobs: 1, Oldest: day, Working: 1, Segments: 2, Turn: 9}}, open); diff != "" {
		t.Errorf("open jobs (-want +got):\n%s", diff)
	}
	_, err = two.Sweep(ctx, day, 10)
	ok(t, err)
	_, err = transfer.ToPostgreSQL(ctx, from, to, func(string, string, int64, int64) {})
	if !errors.Is(err, transfer.ErrNotEmpty) {
		t.Errorf("a second copy: %v", err)
	}
}

// TestDifferenceUndoesTheCopy has the target change what is copied.
func TestDifferenceUndoesTheCopy(t *testing.T) {
	t.Parallel()
	from, to := source(t), target(t)
	fill(t, sqlite.New(from, none))
	_, err := to.SQL().ExecContext(t.Context(), `CREATE FUNCTION spoil() RETURNS trigger AS $$ BEGIN NEW.value = NEW.value || '!'; RETURN NEW; END $$ LANGUAGE plpgsql;
		CREATE TRIGGER spoil BEFORE INSERT ON tags FOR EACH ROW EXECUTE FUNCTION spoil()`)
	ok(t, err)
	_, err = transfer.ToPostgreSQL(t.Context(), from, to, func(string, string, int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), "compare tags: row 1 differs") {
		t.Errorf("the copy was changed: %v", err)
	}
	if list, err := postgres.New(to, none).Collections(t.Context(), 0, 9); err != nil || len(list) != 0 {
		t.Errorf("what was undone: %v, %v", list, err)
	}
}

// TestAllTablesAreKnown wants both databases to have the tables that are copied, and no others of ours.
func TestAllTablesAreKnown(t *testing.T) {
	t.Parallel()
	from, to := source(t), target(t)
	fill(t, sqlite.New(from, none))
	result, err := transfer.ToPostgreSQL(t.Context(), from, to, func(string, string, int64, int64) {})
	ok(t, err)
	for db, query := range map[*sql.DB]string{
		from.Writer(): `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
		to.SQL():      `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`,
	} {
		rows, failed := db.QueryContext(t.Context(), query)
		ok(t, failed)
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name string
			ok(t, rows.Scan(&name))
			if _, copied := result.Rows[name]; !copied && name != "goose_db_version" && name != "compatibility" {
				t.Errorf("the table %s is not copied", name)
			}
		}
		ok(t, rows.Err())
	}
}
