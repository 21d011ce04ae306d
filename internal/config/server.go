package config

import (
	"path/filepath"
	"time"
)

// Server is every setting of `spotter serve` beside the engine's, which are a [Config]. Make one with [DefaultServer].
type Server struct {
	// Listen is where the API is served.
	Listen Address
	// TLSCertificate and TLSKey are PEM files: the certificate with its chain, and its key. Both or neither.
	TLSCertificate, TLSKey Path
	// PlainHTTP allows a listener beyond loopback without TLS. Signatures keep requests from being forged or changed, not
	// from being read: photos and results cross the network in the open. For a proxy in front that does TLS.
	PlainHTTP Switch
	// Unsigned lets everybody in as administrator; on loopback only.
	Unsigned Switch
	// MetricsListen is where metrics are served. Empty: beside the API if that listens on loopback, otherwise nowhere.
	MetricsListen Address
	// AllowedHosts are names that requests may give as their Host beside this machine's own: see [Server.Hosts].
	AllowedHosts HostNames
	// AllowedOrigins are where web pages may come from that call the API in a browser. AnyOrigin lets them be "*" beyond loopback.
	AllowedOrigins Origins
	AnyOrigin      Switch
	// BasePath is where the API is served beside "/": what the path of its URL is behind a proxy.
	BasePath BasePath
	// Connections is how many connections are held open at once.
	Connections Count
	// Region and Account are what ARNs say.
	Region  Region
	Account Account

	// Mode says which parts of the server run in this process.
	Mode Mode

	// Data is the folder of the database, the keys and the logs.
	Data Path
	// Database is the PostgreSQL database that processes share; empty: one of this process alone, in Data.
	Database Database
	// KeyFile is the secret that access keys are sealed with; empty: within Data. Processes that share a database and serve the API
	// have the same.
	KeyFile Path
	// AuditLog says where the audit log is kept: by itself in the database where processes share it, and in a file of Data otherwise. KeepAudit is
	// how long entries in a database stay; files are left to log rotation. ProcessName is what it calls this process; empty: by
	// the machine's name and the mode.
	AuditLog    AuditLog
	KeepAudit   Period
	ProcessName ProcessName
	// CheckDatabase reads the whole database at the start, and does not serve a damaged one.
	CheckDatabase Switch
	// Cache is the folder of videos fetched from S3; empty: within Data. CacheSize bounds it, CacheIdle is how long a
	// video stays that nobody reads, and MinFreeDisk what downloads leave free on the disk.
	Cache       Path
	CacheSize   Size
	CacheIdle   Period
	MinFreeDisk Size

	// Rate is how many requests a second are answered in all, RatePerKey how many of one access key, and Rates how many of
	// one access key and operation; 0 and what is not named are unlimited.
	Rate, RatePerKey PerSecond
	Rates            Rates
	// RequestsInFlight is how many requests are worked on at once, MaxBody how large a request's body may be in bytes.
	RequestsInFlight Count
	MaxBody          Size
	// AbsentAttributes says how attributes of faces are answered that are asked for and not known.
	AbsentAttributes AbsentAttributes
	// PhotoWorkers is how many photos are looked at side by side; 0 is one per CPU core.
	PhotoWorkers Count

	// OpenJobs is how many jobs of one access key may be in progress, and AllOpenJobs how many of all together; 0: ten times as many.
	OpenJobs, AllOpenJobs Count
	// KeepAnalyses is how long it stays what was found in a video, after it was used last.
	KeepAnalyses Retention
	// KeepResults is how long a job's results stay, KeepTokens how long a request token makes a repeated request count
	// once, and PageTokens how long a page token is good for.
	KeepResults, KeepTokens, PageTokens Period
	// Formats are the videos that are taken.
	Formats Formats
	// UnknownTopics says what becomes of a job that names a topic without an entry in Topics.
	UnknownTopics UnknownTopics
	// MaxImageSize bounds an image in a bucket, MaxInlineImage one within a request, both in bytes.
	MaxImageSize, MaxInlineImage Size
	// MaxFacesPerCollection bounds a collection; 20 million faces take about 13 GB of memory.
	MaxFacesPerCollection Count
	// GalleryMemory is the most memory that collections take; 0: as much as all of them need.
	GalleryMemory Budget

	// GalleryFiles is how many faces a collection has at least that is kept in a file in the data folder; 0: none is.
	GalleryFiles Count

	// StopTimeout is how long running work may take to end when the server is asked to stop.
	StopTimeout Period
	LogLevel    LogLevel
	LogFormat   LogFormat

	// Buckets are where objects come from, by the name that requests give.
	Buckets map[string]Bucket
	// Roles are sets of rights that callers may take on, by name.
	Roles map[string]Role
	// Topics are whom to tell when a job has ended, by the SNSTopicArn that requests give.
	Topics map[string][]Sink
}

// DefaultServer is what holds where nothing is set. Limits of requests, jobs and images are Amazon Rekognition's own.
func DefaultServer() Server {
	return Server{
		Listen:                "127.0.0.1:8420",
		Connections:           4096, // twice as many as may be on their way in, with the buffers of each some 60 MB
		Region:                "us-east-1",
		Account:               "000000000000",
		Mode:                  ModeAll,
		Data:                  "spotter-data",
		AuditLog:              AuditByDatabase,
		KeepAudit:             Period(52 * 7 * day),
		CacheSize:             54 * gigabyte, // five videos of the largest size
		CacheIdle:             Period(10 * time.Minute),
		MinFreeDisk:           1 * gigabyte,
		RequestsInFlight:      256,
		MaxBody:               15 * mebibyte, // CompareFaces carries two inline images, in base64: 14.0 million bytes
		AbsentAttributes:      OmitAttributes,
		OpenJobs:              20,
		KeepAnalyses:          Retention(7 * day), // as long as results
		KeepResults:           Period(7 * day),
		KeepTokens:            Period(7 * day),
		PageTokens:            Period(day),
		Formats:               AnyFormat,
		UnknownTopics:         RejectTopics,
		MaxImageSize:          15 * mebibyte,
		MaxInlineImage:        5 * mebibyte, // 5,242,880 bytes in the service model
		MaxFacesPerCollection: 20_000_000,
		GalleryFiles:          20_000, // some 0.2 s of reading from the database
		StopTimeout:           Period(30 * time.Second),
		LogLevel:              Info,
		LogFormat:             TextLog,
	}
}

// CacheFolder is the folder that videos are fetched into.
func (s *Server) CacheFolder() string {
	if s.Cache != "" {
		return string(s.Cache)
	}
	return filepath.Join(string(s.Data), "cache")
}

// Serves says whether this process serves the API, and Works whether it works on jobs.
func (s *Server) Serves() bool { return s.Mode != ModeWorker }

// Works says whether this process works on jobs.
func (s *Server) Works() bool { return s.Mode != ModeAPI }

// AuditInDatabase says whether the audit log is in the database.
func (s *Server) AuditInDatabase() bool {
	return s.AuditLog == AuditDatabase || s.AuditLog == AuditByDatabase && s.Database != ""
}

// SecretKey is the file of the secret that access keys are sealed with.
func (s *Server) SecretKey() string {
	if s.KeyFile != "" {
		return string(s.KeyFile)
	}
	return filepath.Join(string(s.Data), "secret.key")
}

// TLS says whether the API is served over TLS.
func (s *Server) TLS() bool { return s.TLSCertificate != "" }

// MetricsBesideAPI says whether metrics are served by the API's listener.
func (s *Server) MetricsBesideAPI() bool { return s.MetricsListen == "" && s.Listen.Loopback() }

// MostOpenJobs is how many jobs of all access keys may be in progress.
func (s *Server) MostOpenJobs() int {
	if s.AllOpenJobs > 0 {
		return int(s.AllOpenJobs)
	}
	const keys = 10
	return keys * int(s.OpenJobs)
}
