package pgserver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec" //nolint:depguard // the server is a program of its own
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"github.com/spotter-video/spotter/internal/testkit/program"
)

// ErrUnavailable means that there is no PostgreSQL on this machine, or that it does not run here.
var ErrUnavailable = errors.New("there is no PostgreSQL to test against (Debian: apt-get install postgresql)")

// everything is the variable by which a test fails that would be skipped for want of PostgreSQL.
const everything = "SPOTTER_TEST_EVERYTHING"

// user is who owns the cluster; inside of it nobody needs a password.
const user = "spotter"

// Server is a running server.
type Server struct {
	// Folder has the socket, and the cluster below it.
	Folder string

	bin     string
	process *program.Process
}

// Database is the URL of a new, empty database on a server that all tests of a program share. The test is skipped where PostgreSQL
// does not run, unless the environment variable SPOTTER_TEST_EVERYTHING is set. TestMain must run the tests as [Tests].
func Database(tb testing.TB) string {
	tb.Helper()
	return from(tb, "")
}

// Copy is the URL of a new database that is a copy of another, which nobody may be connected to.
func Copy(tb testing.TB, of string) string {
	tb.Helper()
	u, err := url.Parse(of)
	if err != nil {
		tb.Fatal(err)
	}
	return from(tb, " TEMPLATE "+filepath.Base(u.Path))
}

// Lend is the URL of a database that is a copy of another, for the length of a test: afterwards the statements empty it, and it is lent
// again, which takes a tenth of a copy's time. The test must have let go of it by its end, and leave the tables as they were.
func Lend(tb testing.TB, of, empty string) string {
	tb.Helper()
	common.mutex.Lock()
	lent := ""
	if free := common.free[of]; len(free) > 0 {
		lent, common.free[of] = free[len(free)-1], free[:len(free)-1]
	}
	common.mutex.Unlock()
	if lent == "" {
		lent = Copy(tb, of)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			return // whatever it has left
		}
		if err := execute(context.Background(), lent, empty); err != nil {
			tb.Errorf("empty a database: %v", err)
			return
		}
		common.mutex.Lock()
		defer common.mutex.Unlock()
		if common.free == nil {
			common.free = map[string][]string{}
		}
		common.free[of] = append(common.free[of], lent)
	})
	return lent
}

// needed is the shared server, or skips where there can be none.
func needed(tb testing.TB) *Server {
	tb.Helper()
	s, err := shared()
	if err != nil {
		if errors.Is(err, ErrUnavailable) && os.Getenv(everything) == "" {
			tb.Skip(err)
		}
		tb.Fatal(err)
	}
	return s
}

func from(tb testing.TB, template string) string {
	tb.Helper()
	s := needed(tb)
	name, err := s.createNext(context.WithoutCancel(tb.Context()), template)
	if err != nil {
		tb.Fatal(err)
	}
	return s.URL(name)
}

// common is the server that the tests of a program share.
var common struct { //nolint:gochecknoglobals // it is the program's
	mutex   sync.Mutex
	started bool
	server  *Server
	err     error
	names   int
	free    map[string][]string // databases that can be lent, by what they are copies of
}

func shared() (*Server, error) {
	common.mutex.Lock()
	defer common.mutex.Unlock()
	if !common.started {
		common.started = true
		common.server, common.err = Launch(context.Background())
	}
	return common.server, common.err
}

// Tests are those of a program, as [testing.M] has them, and end the shared server at their end.
type Tests struct{ *testing.M }

// Run runs the tests.
func (t Tests) Run() int {
	defer stop()
	return t.M.Run()
}

func stop() {
	common.mutex.Lock()
	defer common.mutex.Unlock()
	if common.server != nil {
		common.server.Stop()
		common.server = nil
	}
}

// Launch starts a server that runs until Stop, with more settings beside its own. [ErrUnavailable].
func Launch(ctx context.Context, settings ...string) (_ *Server, err error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.Folder, err = s.newFolder(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(s.Folder))
		}
	}()
	if err = s.run(ctx, "initdb", "--pgdata", s.cluster(), "--username", user, "--auth", "trust", "--encoding", "UTF8", "--locale", "C",
		"--no-sync", "--no-instructions"); err == nil {
		err = s.Start(ctx, settings...)
	}
	if err != nil { // where programs of another user's may not run, or share memory
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return s, nil
}

// Standby starts a server that follows this one, on a copy of its cluster. Every commit is in both from then on, before it is answered.
func (s *Server) Standby(ctx context.Context) (_ *Server, err error) {
	folder, err := s.newFolder()
	if err != nil {
		return nil, err
	}
	standby := &Server{Folder: folder, bin: s.bin}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	if err = s.run(ctx, "pg_basebackup", "--host", s.Folder, "--username", user, "--pgdata", standby.cluster(), "--write-recovery-conf",
		"--wal-method", "stream", "--checkpoint", "fast", "--no-sync"); err != nil {
		return nil, err
	}
	if err = standby.Start(ctx); err != nil {
		return nil, err
	}
	// By name of the application that follows, which is this by default; not kept in the cluster's files that a standby copies.
	return standby, s.do(ctx, `ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`)
}

// Promote makes a standby the server that takes changes.
func (s *Server) Promote(ctx context.Context) error {
	return s.do(ctx, `SELECT pg_promote()`, `ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`)
}

// Create makes a database.
func (s *Server) Create(ctx context.Context, name string) error {
	return s.do(ctx, "CREATE DATABASE "+name)
}

func (s *Server) do(ctx context.Context, statements ...string) error {
	return execute(ctx, s.URL("postgres"), statements...)
}

func execute(ctx context.Context, database string, statements ...string) (err error) {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// Start starts the server again, after Stop or Kill.
func (s *Server) Start(ctx context.Context, settings ...string) (err error) {
	arguments := []string{"-D", s.cluster(), "-k", s.Folder} //nolint:prealloc // a few
	for _, setting := range append([]string{
		// What is written survives the server's death, and not the machine's.
		"listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=300", "autovacuum=on",
	}, settings...) {
		arguments = append(arguments, "-c", setting)
	}
	s.process, err = program.Program{
		Path: filepath.Join(s.bin, "postgres"), Arguments: arguments, Credential: s.owner(), Ready: s.ready,
	}.Start(ctx)
	return err
}

func (s *Server) newFolder() (string, error) {
	folder, err := os.MkdirTemp("", "postgres") // a short name: a socket's may have 107 bytes
	if err != nil {
		return "", fmt.Errorf("make the server's folder: %w", err)
	}
	if owner := s.owner(); owner != nil {
		if err = os.Chown(folder, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", errors.Join(fmt.Errorf("give the server's folder away: %w", err), os.RemoveAll(folder))
		}
	}
	return folder, nil
}

// Stop ends the server and removes what it held.
func (s *Server) Stop() {
	s.Kill()
	_ = os.RemoveAll(s.Folder) // it is temporary
}

// Kill ends the server as a crash would, and leaves its cluster.
func (s *Server) Kill() { s.process.Signal(syscall.SIGQUIT) }

// URL is where a database of the server is.
func (s *Server) URL(database string) string {
	return "postgres://" + user + "@/" + database + "?host=" + url.QueryEscape(s.Folder)
}

// Socket is where the server is reached.
func (s *Server) Socket() string { return filepath.Join(s.Folder, ".s.PGSQL.5432") }

// User is who owns its databases.
func (*Server) User() string { return user }

// PID is the number of the server's first process.
func (s *Server) PID() int { return s.process.PID() }

// Log is what the server has said.
func (s *Server) Log() string { return s.process.Log() }

func (s *Server) cluster() string { return filepath.Join(s.Folder, "cluster") }

// owner is whom the server runs as: PostgreSQL does not run as root.
func (*Server) owner() *syscall.Credential {
	const nobody = 65534
	if os.Geteuid() != 0 {
		return nil
	}
	return &syscall.Credential{Uid: nobody, Gid: nobody}
}

func (s *Server) run(ctx context.Context, command string, arguments ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, command), arguments...) //nolint:gosec // G204: PostgreSQL's
	cmd.Dir, cmd.SysProcAttr = s.Folder, &syscall.SysProcAttr{Credential: s.owner()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, out)
	}
	return nil
}

func (s *Server) ready(ctx context.Context) error {
	db, err := sql.Open("pgx", s.URL("postgres"))
	if err != nil {
		return err
	}
	return errors.Join(db.PingContext(ctx), db.Close())
}

func (s *Server) createNext(ctx context.Context, template string) (name string, err error) {
	common.mutex.Lock()
	defer common.mutex.Unlock() // of two at once one would wait for the other
	common.names++
	name = "test" + strconv.Itoa(common.names)
	return name, s.do(ctx, "CREATE DATABASE "+name+template)
}

// installed is the folder of the newest PostgreSQL's programs.
func installed() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian has them, and nobody's PATH
	if err != nil {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return release(b) - release(a) })
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = append(found, path)
		}
	}
	for _, path := range found {
		folder := filepath.Dir(path)
		if _, err := os.Stat(filepath.Join(folder, "postgres")); err == nil {
			return folder, nil
		}
	}
	return "", ErrUnavailable
}

func release(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb)))) // 0 for what is no number
	return n
}
