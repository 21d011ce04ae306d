package config

// The groups of the server's settings, in the order in which help lists them.
const (
	Listening Group = "listening"
	Storage   Group = "storage"
	Requests  Group = "requests"
	Jobs      Group = "jobs"
	Running   Group = "running"
)

// Settings is the table of the server's settings; its values point into s. Buckets and topics are not in it: they have a
// structure of their own.
func (s *Server) Settings() []Setting {
	return []Setting{
		{"listen", Listening, "address", "where the API is served", &s.Listen},
		{"tls-certificate", Listening, "file", "serve TLS with this certificate and its chain (PEM)", &s.TLSCertificate},
		{"tls-key", Listening, "file", "the certificate's key (PEM)", &s.TLSKey},
		{"plain-http", Listening, "", "listen beyond loopback without TLS: for a proxy in front that does it", &s.PlainHTTP},
		{"unsigned", Listening, "", "let everybody in without a signature, on loopback only", &s.Unsigned},
		{
			"metrics-listen", Listening, "address", "where metrics are served; unset: with the API, on loopback only",
			&s.MetricsListen,
		},
		{
			"allowed-hosts", Listening, "list", "names that requests may call this server by; on loopback beside localhost, elsewhere " +
				"instead of any", &s.AllowedHosts,
		},
		{
			"allowed-origins", Listening, "list", "where web pages come from that may call the API, such as https://app.example.org",
			&s.AllowedOrigins,
		},
		{"any-origin", Listening, "", "let allowed-origins be * on a listener beyond loopback too", &s.AnyOrigin},
		{"base-path", Listening, "path", "serve the API at this path too, as in /rekognition", &s.BasePath},
		{"connections", Listening, "n", "most connections open at once; one address gets a quarter", &s.Connections},
		{"region", Listening, "name", "the region in ARNs", &s.Region},
		{"account", Listening, "digits", "the account in ARNs, 12 digits", &s.Account},

		{"data", Storage, "folder", "the folder of the database, keys and logs", &s.Data},
		{"database", Storage, "URL", "a PostgreSQL database that processes share; unset: one of this process in the data folder", &s.Database},
		{"sealing-key", Storage, "file", "the secret that access keys are sealed with; unset: secret.key in the data folder", &s.KeyFile},
		{"audit-log", Storage, "where", "auto: in the database if processes share it; file: in the data folder; database", &s.AuditLog},
		{"keep-audit", Storage, "time", "how long entries of the audit log stay in a database", &s.KeepAudit},
		{"process-name", Storage, "name", "what the audit log calls this process; unset: the machine's name and the mode", &s.ProcessName},
		{"check-database", Storage, "", "read the whole database at the start, and do not serve a damaged one", &s.CheckDatabase},
		{"cache", Storage, "folder", "where videos from S3 are kept meanwhile; unset: within the data folder", &s.Cache},
		{"cache-size", Storage, "size", "most that these take", &s.CacheSize},
		{"cache-idle", Storage, "time", "how long one stays that nobody reads", &s.CacheIdle},
		{"gallery-memory", Storage, "size", "most memory for collections: the least used are read again when needed; 0: no limit", &s.GalleryMemory},
		{
			"gallery-files", Storage, "n",
			"least faces of a collection that is kept in a file for a quick start; 0: none is", &s.GalleryFiles,
		},
		{"min-free-disk", Storage, "size", "what downloads leave free on the disk", &s.MinFreeDisk},

		{"rate", Requests, "n", "requests per second in all; 0: unlimited", &s.Rate},
		{"rate-per-key", Requests, "n", "requests per second of one access key; 0: unlimited", &s.RatePerKey},
		{"rates", Requests, "list", "the same by operation, such as StartFaceSearch=5,IndexFaces=50", &s.Rates},
		{"requests-in-flight", Requests, "n", "requests worked on at once", &s.RequestsInFlight},
		{"max-body", Requests, "size", "largest body of a request", &s.MaxBody},
		{"max-image-size", Requests, "size", "largest image in a bucket", &s.MaxImageSize},
		{"max-inline-image", Requests, "size", "largest image within a request", &s.MaxInlineImage},
		{"max-faces-per-collection", Requests, "n", "most faces of a collection", &s.MaxFacesPerCollection},
		{"photo-workers", Requests, "n", "photos looked at side by side; 0: one per core", &s.PhotoWorkers},

		{
			"absent-attributes", Requests, "what", "omit face attributes that nothing says, or neutral: false, confidence 50",
			&s.AbsentAttributes,
		},

		{"open-jobs", Jobs, "n", "most jobs in progress of one access key", &s.OpenJobs},
		{"all-open-jobs", Jobs, "n", "most jobs in progress of all keys; 0: ten times open-jobs", &s.AllOpenJobs},
		{"keep-analyses", Jobs, "time", "how long it stays what was found in a video; 0, or forever", &s.KeepAnalyses},
		{"keep-results", Jobs, "time", "how long results stay", &s.KeepResults},
		{"keep-tokens", Jobs, "time", "how long a ClientRequestToken is remembered", &s.KeepTokens},
		{"page-tokens", Jobs, "time", "how long a NextToken is good for", &s.PageTokens},
		{"formats", Jobs, "which", "any: every video that can be decoded; aws: H.264 in MP4 or MOV", &s.Formats},
		{"unknown-topics", Jobs, "what", "reject jobs that name an unknown topic, or log their end", &s.UnknownTopics},

		{"mode", Running, "part", "all; api: serve requests only; worker: work on jobs only", &s.Mode},
		{"stop-timeout", Running, "time", "how long running work may take to end", &s.StopTimeout},
		{"log-level", Running, "level", "least severe messages: debug, info, warn or error", &s.LogLevel},
		{"log-format", Running, "format", "text or json", &s.LogFormat},
	}
}

// Load sets what the environment says, as [Config.Load] does.
func (s *Server) Load(lookup func(string) (string, bool)) error { return load(s.Settings(), lookup) }
