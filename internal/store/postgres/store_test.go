package postgres_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/service"
	"github.com/spotter-video/spotter/internal/store/postgres"
	"github.com/spotter-video/spotter/internal/store/storetest"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgserver.Tests{M: m}) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, enqueue func([]service.Task) error) service.Store {
		t.Helper()
		return newStore(t, openDB(t, lent(t)), enqueue)
	})
}

// template is a database with tables, which others are copies of.
var template struct {
	sync.Mutex
	url string
}

// lent is a database with tables, for a test that leaves these as they are.
func lent(tb testing.TB) string {
	tb.Helper()
	return pgserver.Lend(tb, templateOf(tb), storetest.EmptyPostgreSQL)
}

// migrated is a new database with tables.
func migrated(tb testing.TB) string {
	tb.Helper()
	return pgserver.Copy(tb, templateOf(tb))
}

func templateOf(tb testing.TB) string {
	tb.Helper()
	template.Lock()
	defer template.Unlock()
	if template.url == "" {
		url := pgserver.Database(tb)
		migrate(tb, url)
		template.url = url
	}
	return template.url
}

func migrate(tb testing.TB, url string) {
	tb.Helper()
	if _, _, err := postgres.Migrate(context.Background(), url, func() {}, func(context.Context, *postgres.DB) error { return nil }); err != nil {
		tb.Fatal(err)
	}
}

func openDB(tb testing.TB, url string) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func newStore(tb testing.TB, db *postgres.DB, enqueue func([]service.Task) error) *postgres.Store {
	tb.Helper()
	return postgres.New(db, storetest.Enqueuing(enqueue))
}

// TestManySweep has processes clear away the same things at the same time, as those do that start together.
func TestManySweep(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s := newStore(t, openDB(t, url), nil)
	ctx, now := t.Context(), time.Now()
	for i := range 3 {
		c := &service.Collection{ID: service.CollectionID("c" + strconv.Itoa(i))}
		if err := s.CreateCollection(ctx, c); err != nil {
			t.Fatal(err)
		}
		faces := make([]service.NewFace, 2000)
		for n := range faces {
			faces[n] = service.NewFace{Face: service.Face{Enrolled: face.Enrolled{ID: face.ID{byte(n), byte(n >> 8)}}}, Vector: []float32{1}, Code: []byte{1}}
		}
		if _, err := s.AddFaces(ctx, c.Serial, faces, 1e6); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteCollection(ctx, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		other := newStore(t, openDB(t, url), nil)
		wg.Go(func() {
			if _, err := other.Sweep(ctx, now, 100); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var left int
	err := openDB(t, url).SQL().QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM faces) + (SELECT COUNT(*) FROM collections) +
		(SELECT COUNT(*) FROM leftovers)`).Scan(&left)
	if err != nil || left > 0 {
		t.Errorf("%d rows are left: %v", left, err)
	}
}
