package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The ranges of the server's settings that are numbers, inclusive.
const (
	maxInFlight    = 100_000
	maxBody        = 1 * gigabyte
	minConnections = 16 // so that a quarter of them is of use
	maxConnections = 1_000_000
	maxOpenJobs    = 1_000_000
	maxImage       = 1 * gigabyte
	maxFaceCount   = 1 << 31 // Count's own
)

// Validate says what is wrong with the settings, all of it at once, each with the key that it is set by.
func (s *Server) Validate() error {
	return errors.Join(s.validateListeners(), s.validateValues(), s.validateSections())
}

func (s *Server) validateListeners() error {
	var errs []error
	fail := func(text string, args ...any) { errs = append(errs, fmt.Errorf(text, args...)) }
	if s.Listen == "" {
		fail("listen is missing; 127.0.0.1:8420 is reached from this machine only, :8420 from everywhere")
	}
	if (s.TLSCertificate == "") != (s.TLSKey == "") {
		fail("tls-certificate and tls-key must be set together")
	}
	if s.Listen != "" && !s.Listen.Loopback() {
		if s.Unsigned {
			fail("unsigned lets everybody in, so listen must be a loopback address such as 127.0.0.1:8420, not %s", s.Listen)
		}
		if !s.TLS() && !bool(s.PlainHTTP) {
			fail("listen is %s, beyond this machine, where others could read photos and results on their way: "+
				"set tls-certificate and tls-key, or plain-http if a proxy in front does TLS", s.Listen)
		}
	}
	if s.MetricsListen != "" && s.MetricsListen == s.Listen && !s.Listen.anyPort() {
		fail("metrics-listen is the same as listen; leave it out to have metrics there, on loopback only")
	}
	return errors.Join(append(errs, s.checkOrigins())...)
}

// checkOrigins refuses to let every web page in where that lets everybody in.
func (s *Server) checkOrigins() error {
	switch {
	case !s.AllowedOrigins.Any():
		return nil
	case bool(s.Unsigned):
		return errors.New("allowed-origins is *, and unsigned lets everybody in: every page in a browser of this machine could do " +
			"everything; name the pages' origins, such as http://localhost:3000")
	case s.Listen != "" && !s.Listen.Loopback() && !bool(s.AnyOrigin):
		return fmt.Errorf("allowed-origins is *, and listen is %s, beyond this machine: pages of every site could try keys from the "+
			"browsers of all who reach it; name the pages' origins, such as https://app.example.org, or set any-origin if every site is "+
			"meant", s.Listen)
	default:
		return nil
	}
}

func (s *Server) validateValues() error {
	return errors.Join(
		s.reread(),
		s.checkMode(),
		needed("data", s.Data),
		check("cache-size", float64(s.CacheSize), 1, float64(maxSize)),
		checkPeriod("cache-idle", s.CacheIdle),
		check("min-free-disk", float64(s.MinFreeDisk), 0, float64(maxSize)),
		check("connections", float64(s.Connections), minConnections, maxConnections),
		check("requests-in-flight", float64(s.RequestsInFlight), 1, maxInFlight),
		check("max-body", float64(s.MaxBody), float64(kilobyte), float64(maxBody)),
		check("max-image-size", float64(s.MaxImageSize), 1, float64(maxImage)),
		check("max-inline-image", float64(s.MaxInlineImage), 1, float64(maxImage)),
		s.checkBody(),
		check("gallery-memory", float64(s.GalleryMemory), 0, float64(maxSize)),
		check("gallery-files", float64(s.GalleryFiles), 0, maxFaceCount),
		check("max-faces-per-collection", float64(s.MaxFacesPerCollection), 1, maxFaceCount),
		check("photo-workers", float64(s.PhotoWorkers), 0, maxWorkers),
		check("open-jobs", float64(s.OpenJobs), 1, maxOpenJobs),
		check("all-open-jobs", float64(s.AllOpenJobs), 0, maxOpenJobs),
		checkPeriod("keep-results", s.KeepResults),
		checkPeriod("keep-tokens", s.KeepTokens),
		checkPeriod("keep-audit", s.KeepAudit),
		checkPeriod("page-tokens", s.PageTokens),
		checkPeriod("stop-timeout", s.StopTimeout),
	)
}

// checkMode wants processes that do a part only to have others to do the rest.
func (s *Server) checkMode() error {
	if s.Mode != ModeAll && s.Database == "" {
		return fmt.Errorf("mode is %s, and such processes share a database: set database to a PostgreSQL database's URL", s.Mode)
	}
	if s.Database != "" && bool(s.CheckDatabase) {
		return errors.New("check-database reads a database in the data folder, and database names one elsewhere: leave it out, " +
			"PostgreSQL's own tools (pg_amcheck) look for damage")
	}
	return nil
}

// checkBody wants a body to hold the largest image, which is a third longer in base64.
func (s *Server) checkBody() error {
	if inline := s.MaxInlineImage; inline > 0 && inline <= maxImage && s.MaxBody < inline/3*4+4 {
		text, _ := s.MaxInlineImage.MarshalText()
		return fmt.Errorf("max-body is too small for an image of max-inline-image (%s), which is a third longer in base64", text)
	}
	return nil
}

// reread checks the settings that are words by reading them once more.
func (s *Server) reread() error {
	var errs []error
	for _, word := range []struct {
		key   string
		value string
		read  func([]byte) error
	}{
		{"listen", string(s.Listen), new(Address).UnmarshalText},
		{"metrics-listen", string(s.MetricsListen), new(Address).UnmarshalText},
		{"base-path", string(s.BasePath), new(BasePath).UnmarshalText},
		{"allowed-hosts", string(joinItems(s.AllowedHosts)), new(HostNames).UnmarshalText},
		{"allowed-origins", string(joinItems(s.AllowedOrigins)), new(Origins).UnmarshalText},
		{"region", string(s.Region), new(Region).UnmarshalText},
		{"account", string(s.Account), new(Account).UnmarshalText},
		{"formats", string(s.Formats), new(Formats).UnmarshalText},
		{"audit-log", string(s.AuditLog), new(AuditLog).UnmarshalText},
		{"process-name", string(s.ProcessName), new(ProcessName).UnmarshalText},
		{"mode", string(s.Mode), new(Mode).UnmarshalText},
		{"database", string(s.Database), new(Database).UnmarshalText},
		{"absent-attributes", string(s.AbsentAttributes), new(AbsentAttributes).UnmarshalText},
		{"unknown-topics", string(s.UnknownTopics), new(UnknownTopics).UnmarshalText},
		{"log-level", string(s.LogLevel), new(LogLevel).UnmarshalText},
		{"log-format", string(s.LogFormat), new(LogFormat).UnmarshalText},
	} {
		if err := word.read([]byte(word.value)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", word.key, err))
		}
	}
	return errors.Join(append(errs, s.checkRates())...)
}

func (s *Server) checkRates() error {
	errs := make([]error, 0, 2+2*len(s.Rates))
	errs = append(errs, check("rate", float64(s.Rate), 0, maxPerSecond),
		check("rate-per-key", float64(s.RatePerKey), 0, maxPerSecond))
	for _, operation := range slices.Sorted(maps.Keys(s.Rates)) {
		if !isOperation(operation) {
			errs = append(errs, fmt.Errorf("rates: %q is not the name of an operation", operation))
		}
		errs = append(errs, check("rates."+operation, float64(s.Rates[operation]), 0, maxPerSecond))
	}
	return errors.Join(errs...)
}

func (s *Server) validateSections() error {
	errs := make([]error, 0, len(s.Buckets)+len(s.Topics))
	for _, name := range slices.Sorted(maps.Keys(s.Buckets)) {
		errs = append(errs, s.Buckets[name].validate("buckets."+name, name))
	}
	for _, arn := range slices.Sorted(maps.Keys(s.Topics)) {
		errs = append(errs, validateTopic("topics."+arn, arn, s.Topics[arn]))
	}
	return errors.Join(append(errs, validateRoles(s.Roles))...)
}

func checkPeriod(key string, p Period) error {
	if p > 0 && time.Duration(p) <= maxPeriod {
		return nil
	}
	return fmt.Errorf("%s is %s; it must be above zero and at most %d days", key, time.Duration(p), maxPeriod/day)
}
