package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/keys"
)

// DoctorServer looks at what a server with these settings needs, beside what [Doctor] looks at. But for the database it asks nobody outside of
// this machine, and changes nothing.
func DoctorServer(ctx context.Context, c config.Config, s config.Server) Checkup {
	up := Doctor(ctx, c)
	checks := append(dataChecks(ctx, &s), bucketChecks(&s)...)
	if s.TLS() {
		checks = append(checks, checkCertificate(&s))
	}
	for _, check := range checks {
		up.Ready = up.Ready && check.State != Problem
	}
	up.Checks = append(up.Checks, checks...)
	return up
}

// dataChecks looks at the database and its key file. That there are none yet is fine: the first start makes them.
func dataChecks(ctx context.Context, s *config.Server) []Check {
	if _, err := os.Stat(dataFile(s, databaseFile)); s.Database == "" && errors.Is(err, os.ErrNotExist) {
		return []Check{{"data", OK, fmt.Sprintf("nothing in %s as yet: the first start of the server makes it", s.Data), ""}}
	}
	db, err := openBeside(ctx, s)
	if err != nil {
		return []Check{problem("data", err)}
	}
	where := "the database in " + string(s.Data)
	if db.shared {
		where = "the PostgreSQL database"
	}
	checks := []Check{{"data", OK, where + " can be used" + known(ctx, db), ""}}
	if err = db.close(); err != nil {
		checks[0] = problem("data", err)
	}
	if !s.Serves() {
		return checks
	}
	if _, err = keys.OpenFile(s.SecretKey(), false, rand.Reader); err != nil {
		return append(checks, problem("key file", err))
	}
	return append(checks, Check{"key file", OK, s.SecretKey() + " is readable by its owner only", ""})
}

// known says what is kept of videos; nothing where that cannot be said.
func known(ctx context.Context, db *database) string {
	n, bytes, err := db.store(nil).Analyses(ctx)
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("; %.1f MB are kept of what was found in %s", float64(bytes)/1e6, plural(n, "video"))
}

// bucketChecks looks at the buckets that are folders.
func bucketChecks(s *config.Server) []Check {
	checks := make([]Check, 0, len(s.Buckets))
	for _, name := range slices.Sorted(maps.Keys(s.Buckets)) {
		b := s.Buckets[name]
		check := Check{Name: "bucket " + name, State: OK, Found: "on an S3 server, which was not asked"}
		if b.S3 == nil {
			check.Found = "the folder " + string(b.Folder)
			if _, err := os.ReadDir(string(b.Folder)); err != nil {
				check.State, check.Found = Problem, fmt.Sprintf("the folder cannot be read: %v", fault.Plain(err))
				check.Mend = "Make it, let this user read it, or name another one."
			}
		}
		checks = append(checks, check)
	}
	return checks
}

func checkCertificate(s *config.Server) Check {
	if _, err := tls.LoadX509KeyPair(string(s.TLSCertificate), string(s.TLSKey)); err != nil {
		return problem("certificate", err)
	}
	return Check{"certificate", OK, string(s.TLSCertificate) + " fits its key", ""}
}
