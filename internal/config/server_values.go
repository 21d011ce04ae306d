package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Address is where to listen: an IP address or a host's name, and a port, as in 127.0.0.1:8420 or [::1]:8420. Without a
// host it is every address of the machine. Empty where nothing is to listen.
type Address string

// UnmarshalText reads an address; port 0 lets the system choose one.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) != 0 {
		host, port, err := net.SplitHostPort(string(text))
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil || len(host) > maxHostName || strings.ContainsFunc(host, notOfHost) {
			return fmt.Errorf("%q is not an address such as 127.0.0.1:8420 or :8420", text)
		}
	}
	*a = Address(text)
	return nil
}

// MarshalText writes the address as it is.
func (a Address) MarshalText() ([]byte, error) { return []byte(a), nil }

// Loopback says whether only this machine can reach the address. Of names only localhost is known to be its own.
func (a Address) Loopback() bool {
	host, _, err := net.SplitHostPort(string(a))
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// anyPort says that the system chooses the port.
func (a Address) anyPort() bool { return strings.HasSuffix(string(a), ":0") }

const maxHostName = 253 // RFC 1035, in text

// notOfHost says what neither names nor IP addresses with zones have.
func notOfHost(r rune) bool { return !isWord(r) && !strings.ContainsRune(".:-%", r) }

// isWord says whether r is a letter or digit of ASCII, or '_'.
func isWord(r rune) bool {
	return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
}

// Switch is on or off.
type Switch bool

// UnmarshalText reads true or false.
func (s *Switch) UnmarshalText(text []byte) error {
	v, err := strconv.ParseBool(string(text))
	if err != nil {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	*s = Switch(v)
	return nil
}

// MarshalText writes true or false.
func (s Switch) MarshalText() ([]byte, error) { return strconv.AppendBool(nil, bool(s)), nil }

// Region is a name like us-east-1; any other will do where clients name the same.
type Region string

// UnmarshalText reads a region.
func (r *Region) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" || len(s) > 64 || strings.ContainsFunc(s, notOfRegion) {
		return fmt.Errorf("%q is not a region such as us-east-1", text)
	}
	*r = Region(s)
	return nil
}

func notOfRegion(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }

// MarshalText writes the region.
func (r Region) MarshalText() ([]byte, error) { return []byte(r), nil }

// Account is an account's number of 12 digits.
type Account string

// UnmarshalText reads an account.
func (a *Account) UnmarshalText(text []byte) error {
	if len(text) != 12 || strings.ContainsFunc(string(text), notDigit) {
		return fmt.Errorf("%q is not an account of 12 digits", text)
	}
	*a = Account(text)
	return nil
}

func notDigit(r rune) bool { return r < '0' || r > '9' }

// MarshalText writes the digits.
func (a Account) MarshalText() ([]byte, error) { return []byte(a), nil }

const (
	day = 24 * time.Hour
	// maxPeriod is ten years: more is a mistake, and still far from where time overflows.
	maxPeriod = 3650 * day
)

// Period is how long something is kept or waited for, above zero. Written as a [Duration], or in days: 7d.
type Period time.Duration

// UnmarshalText reads a period.
func (p *Period) UnmarshalText(text []byte) error {
	v, err := parsePeriod(string(text))
	if err != nil || v <= 0 || v > maxPeriod {
		return fmt.Errorf("%q is not a length of time such as 30s, 12h or 7d, up to 3650d", text)
	}
	*p = Period(v)
	return nil
}

func parsePeriod(text string) (time.Duration, error) {
	days, found := strings.CutSuffix(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 12) // 4095 days at most, so that nothing overflows
	return time.Duration(n) * day, err
}

// MarshalText writes the period without empty parts, never in days.
func (p Period) MarshalText() ([]byte, error) { return []byte(shortDuration(time.Duration(p))), nil }

// Retention is how long something is kept, whole days as "7d"; 0 is not at all, and "forever" is for a hundred years.
type Retention time.Duration

const (
	forever     = "forever"
	keepForever = Retention(100 * 365 * day)
)

// UnmarshalText reads a retention.
func (r *Retention) UnmarshalText(text []byte) error {
	switch string(text) {
	case "0":
		*r = 0
	case forever:
		*r = keepForever
	default:
		var p Period
		if err := p.UnmarshalText(text); err != nil {
			return fmt.Errorf("%q is not 0, %s, or a length of time such as 12h or 7d, up to 3650d", text, forever)
		}
		*r = Retention(p)
	}
	return nil
}

// MarshalText writes the retention as it can be read.
func (r Retention) MarshalText() ([]byte, error) {
	switch {
	case r <= 0:
		return []byte("0"), nil
	case r >= keepForever:
		return []byte(forever), nil
	default:
		return Period(r).MarshalText()
	}
}

// maxPerSecond is far more than one machine answers.
const maxPerSecond = 1e6

// PerSecond is how often something may happen in a second; 0 is without limit.
type PerSecond float64

// UnmarshalText reads a rate.
func (p *PerSecond) UnmarshalText(text []byte) error {
	v, err := number(string(text), 0, maxPerSecond)
	if err != nil {
		return err
	}
	*p = PerSecond(v)
	return nil
}

// MarshalText writes the number alone.
func (p PerSecond) MarshalText() ([]byte, error) { return formatNumber(float64(p)), nil }

// Rates are rates by the name of an operation. Nil for none.
type Rates map[string]PerSecond

// UnmarshalText reads a list such as StartFaceSearch=5,IndexFaces=50, instead of what was there.
func (r *Rates) UnmarshalText(text []byte) error {
	var list Rates
	for entry := range strings.SplitSeq(string(text), ",") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		operation, rate, found := strings.Cut(entry, "=")
		if !found {
			return fmt.Errorf("%q is not of the form OPERATION=RATE", entry)
		}
		if err := list.add(strings.TrimSpace(operation), strings.TrimSpace(rate)); err != nil {
			return err
		}
	}
	*r = list
	return nil
}

// maxRates is more operations than the API has; it bounds what a list costs.
const maxRates = 200

// add takes in one operation's rate.
func (r *Rates) add(operation, rate string) error {
	if !isOperation(operation) {
		return fmt.Errorf("%q is not the name of an operation such as StartFaceSearch", operation)
	}
	var p PerSecond
	if err := p.UnmarshalText([]byte(rate)); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if _, twice := (*r)[operation]; twice {
		return fmt.Errorf("%s is listed twice", operation)
	}
	if len(*r) == maxRates {
		return fmt.Errorf("more than %d operations are listed", maxRates)
	}
	if *r == nil {
		*r = Rates{}
	}
	(*r)[operation] = p
	return nil
}

// isOperation says whether s can be an operation's name. Which ones there are is the door's to know.
func isOperation(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !isWord(r) && r != '.' })
}

// MarshalText writes the list, sorted.
func (r Rates) MarshalText() ([]byte, error) {
	var b []byte
	for i, operation := range slices.Sorted(maps.Keys(r)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, operation...), '=')
		b = append(b, formatNumber(float64(r[operation]))...)
	}
	return b, nil
}

// Formats says which videos are taken.
type Formats string

// The formats.
const (
	AnyFormat  Formats = "any" // every video that can be decoded
	AWSFormats Formats = "aws" // H.264 in MP4 or MOV, as on AWS
)

// UnmarshalText reads one of the words.
func (f *Formats) UnmarshalText(text []byte) error { return readWord(f, text, AnyFormat, AWSFormats) }

// MarshalText writes the word.
func (f Formats) MarshalText() ([]byte, error) { return []byte(f), nil }

// AuditLog says where the audit log is kept.
type AuditLog string

// The places.
const (
	AuditByDatabase AuditLog = "auto" // in the database where processes share it, in a file otherwise
	AuditFile       AuditLog = "file"
	AuditDatabase   AuditLog = "database"
)

// UnmarshalText reads one of the words.
func (a *AuditLog) UnmarshalText(text []byte) error {
	return readWord(a, text, AuditByDatabase, AuditFile, AuditDatabase)
}

// MarshalText writes the word.
func (a AuditLog) MarshalText() ([]byte, error) { return []byte(a), nil }

// ProcessName is what the audit log calls a process.
type ProcessName string

// longestName is that of a host, and a part of it.
const longestName = 255

// UnmarshalText reads a name of characters that can be printed.
func (n *ProcessName) UnmarshalText(text []byte) error {
	name := string(text)
	if len(name) > longestName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("%q is no name: it has at most %d bytes, all of which can be printed", clip(name), longestName)
	}
	*n = ProcessName(name)
	return nil
}

// MarshalText writes the name.
func (n ProcessName) MarshalText() ([]byte, error) { return []byte(n), nil }

// Mode says which parts of the server run in a process.
type Mode string

// The modes.
const (
	ModeAll    Mode = "all"
	ModeAPI    Mode = "api"    // serve requests, and tell of jobs' ends
	ModeWorker Mode = "worker" // work on jobs
)

// UnmarshalText reads one of the words.
func (m *Mode) UnmarshalText(text []byte) error {
	return readWord(m, text, ModeAll, ModeAPI, ModeWorker)
}

// MarshalText writes the word.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m), nil }

// Database is the URL of a PostgreSQL database; empty for none. It may hold a password, so it is never part of an error.
type Database string

// UnmarshalText reads a URL. Whether it is one that can be used is seen when it is.
func (d *Database) UnmarshalText(text []byte) error {
	s := string(text)
	if s != "" && !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		return errors.New("wanted is postgres://USER@HOST:PORT/DATABASE")
	}
	*d = Database(s)
	return nil
}

// MarshalText writes the URL as it is.
func (d Database) MarshalText() ([]byte, error) { return []byte(d), nil }

// UnknownTopics says what becomes of a job that names a topic without an entry.
type UnknownTopics string

// What becomes of it: it is refused, or its end is told to the log alone.
const (
	RejectTopics UnknownTopics = "reject"
	LogTopics    UnknownTopics = "log"
)

// UnmarshalText reads one of the words.
func (u *UnknownTopics) UnmarshalText(text []byte) error {
	return readWord(u, text, RejectTopics, LogTopics)
}

// MarshalText writes the word.
func (u UnknownTopics) MarshalText() ([]byte, error) { return []byte(u), nil }

// AbsentAttributes says how attributes of faces are answered that no model of the pack knows.
type AbsentAttributes string

// They are left out, or said to be as likely as not: Value false, Confidence 50.
const (
	OmitAttributes    AbsentAttributes = "omit"
	NeutralAttributes AbsentAttributes = "neutral"
)

// UnmarshalText reads one of the words.
func (a *AbsentAttributes) UnmarshalText(text []byte) error {
	return readWord(a, text, OmitAttributes, NeutralAttributes)
}

// MarshalText writes the word.
func (a AbsentAttributes) MarshalText() ([]byte, error) { return []byte(a), nil }

// LogLevel is the least severe message that is logged.
type LogLevel string

// The levels.
const (
	Debug LogLevel = "debug"
	Info  LogLevel = "info"
	Warn  LogLevel = "warn"
	Error LogLevel = "error"
)

// UnmarshalText reads one of the words.
func (l *LogLevel) UnmarshalText(text []byte) error {
	return readWord(l, text, Debug, Info, Warn, Error)
}

// MarshalText writes the word.
func (l LogLevel) MarshalText() ([]byte, error) { return []byte(l), nil }

// Level is the level as the log knows it.
func (l LogLevel) Level() slog.Level {
	switch l {
	case Debug:
		return slog.LevelDebug
	case Warn:
		return slog.LevelWarn
	case Error:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// LogFormat is how messages are written.
type LogFormat string

// The formats of the log.
const (
	TextLog LogFormat = "text"
	JSONLog LogFormat = "json"
)

// UnmarshalText reads one of the words.
func (f *LogFormat) UnmarshalText(text []byte) error { return readWord(f, text, TextLog, JSONLog) }

// MarshalText writes the word.
func (f LogFormat) MarshalText() ([]byte, error) { return []byte(f), nil }

// readWord reads one of a few words.
func readWord[W ~string](to *W, text []byte, words ...W) error {
	if err := checkWord(W(text), words...); err != nil {
		return fmt.Errorf("%q is %w", text, err)
	}
	*to = W(text)
	return nil
}

// checkWord says what a word must be, if it is none of a few.
func checkWord[W ~string](word W, words ...W) error {
	if slices.Contains(words, word) {
		return nil
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(string(w))
	}
	return fmt.Errorf("none of %s", strings.Join(quoted, ", "))
}
