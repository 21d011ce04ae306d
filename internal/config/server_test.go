package config

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestServerDefaultsAreValid(t *testing.T) {
	t.Parallel()
	s := DefaultServer()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if s.CacheFolder() != "spotter-data/cache" || !s.MetricsBesideAPI() || s.TLS() {
		t.Errorf("cache %s, metrics beside the API %t, TLS %t", s.CacheFolder(), s.MetricsBesideAPI(), s.TLS())
	}
}

func TestKeysAreUnique(t *testing.T) {
	t.Parallel()
	c, s := Default(), DefaultServer()
	seen := map[string]bool{"config": true, "bucket": true, "buckets": true, "topics": true}
	for _, set := range append(c.Settings(), s.Settings()...) {
		if seen[set.Key] {
			t.Errorf("two settings are called %q", set.Key)
		}
		seen[set.Key] = true
		if strings.HasSuffix(set.Key, "-file") {
			t.Errorf("%s ends as the keys do that name files of secrets", set.Key)
		}
	}
}

func TestServerValidateNamesTheKey(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:us-east-1:000000000000:t"
	sink := func(sink Sink) func(*Server) {
		return func(s *Server) { s.Topics = map[string][]Sink{topic: {sink}} }
	}
	role := func(name string, r Role) func(*Server) {
		return func(s *Server) { s.Roles = map[string]Role{name: r} }
	}
	bucket := func(name string, b Bucket) func(*Server) {
		return func(s *Server) { s.Buckets = map[string]Bucket{name: b} }
	}
	for name, c := range map[string]struct {
		spoil func(*Server)
		want  string
	}{
		"no listener":           {func(s *Server) { s.Listen = "" }, "listen is missing"},
		"listener":              {func(s *Server) { s.Listen = "x" }, `listen: "x" is not an address`},
		"open without TLS":      {func(s *Server) { s.Listen = ":8420" }, "listen is :8420, beyond this machine"},
		"open by name":          {func(s *Server) { s.Listen = "host:8420" }, "listen is host:8420, beyond this machine"},
		"open and unsigned":     {func(s *Server) { s.Listen, s.Unsigned, s.PlainHTTP = "0.0.0.0:1", true, true }, "unsigned lets everybody in"},
		"certificate alone":     {func(s *Server) { s.TLSCertificate = "c" }, "tls-certificate and tls-key"},
		"key alone":             {func(s *Server) { s.TLSKey = "c" }, "tls-certificate and tls-key"},
		"metrics in the way":    {func(s *Server) { s.MetricsListen = s.Listen }, "metrics-listen is the same as listen"},
		"metrics":               {func(s *Server) { s.MetricsListen = "9" }, "metrics-listen: "},
		"region":                {func(s *Server) { s.Region = "a b" }, "region: "},
		"account":               {func(s *Server) { s.Account = "1" }, "account: "},
		"data":                  {func(s *Server) { s.Data = "" }, "data is missing"},
		"cache size":            {func(s *Server) { s.CacheSize = 0 }, "cache-size is 0"},
		"cache idle":            {func(s *Server) { s.CacheIdle = -1 }, "cache-idle is -1ns"},
		"gallery memory":        {func(s *Server) { s.GalleryMemory = -1 }, "gallery-memory is -1"},
		"gallery files":         {func(s *Server) { s.GalleryFiles = -1 }, "gallery-files is -1"},
		"free disk":             {func(s *Server) { s.MinFreeDisk = -1 }, "min-free-disk is -1"},
		"rate":                  {func(s *Server) { s.Rate = PerSecond(math.NaN()) }, "rate is NaN"},
		"rate of a key":         {func(s *Server) { s.RatePerKey = -1 }, "rate-per-key is -1"},
		"rates":                 {func(s *Server) { s.Rates = Rates{"A": -1} }, "rates.A is -1"},
		"operation":             {func(s *Server) { s.Rates = Rates{"A B": 1} }, `rates: "A B" is not`},
		"in flight":             {func(s *Server) { s.RequestsInFlight = 0 }, "requests-in-flight is 0"},
		"body":                  {func(s *Server) { s.MaxBody = 2 * gigabyte }, "max-body is"},
		"body without image":    {func(s *Server) { s.MaxBody = 5 * mebibyte }, "max-body is too small for an image of max-inline-image (5MiB)"},
		"image":                 {func(s *Server) { s.MaxImageSize = 0 }, "max-image-size is 0"},
		"inline image":          {func(s *Server) { s.MaxInlineImage = 0 }, "max-inline-image is 0"},
		"faces":                 {func(s *Server) { s.MaxFacesPerCollection = 0 }, "max-faces-per-collection is 0"},
		"photo workers":         {func(s *Server) { s.PhotoWorkers = -1 }, "photo-workers is -1"},
		"open jobs":             {func(s *Server) { s.OpenJobs = 0 }, "open-jobs is 0"},
		"all open jobs":         {func(s *Server) { s.AllOpenJobs = -1 }, "all-open-jobs is -1"},
		"results":               {func(s *Server) { s.KeepResults = 0 }, "keep-results is 0s"},
		"tokens":                {func(s *Server) { s.KeepTokens = 0 }, "keep-tokens is 0s"},
		"pages":                 {func(s *Server) { s.PageTokens = math.MaxInt64 }, "page-tokens is "},
		"stop":                  {func(s *Server) { s.StopTimeout = 0 }, "stop-timeout is 0s"},
		"formats":               {func(s *Server) { s.Formats = "h264" }, `formats: "h264" is none of "any", "aws"`},
		"attributes":            {func(s *Server) { s.AbsentAttributes = "no" }, `absent-attributes: "no" is none of "omit", "neutral"`},
		"unknown topics":        {func(s *Server) { s.UnknownTopics = "" }, "unknown-topics: "},
		"level":                 {func(s *Server) { s.LogLevel = "loud" }, "log-level: "},
		"format":                {func(s *Server) { s.LogFormat = "xml" }, "log-format: "},
		"role of nobody":        {role("r", Role{Policy: "p"}), "roles.r trusts nobody"},
		"role without a policy": {role("r", Role{Trust: Texts{"*"}}), "roles.r.policy is missing"},
		"role without a name":   {role("a b", Role{Trust: Texts{"*"}, Policy: "p"}), "roles.a b: a role's name"},
		"role for ever":         {role("r", Role{Trust: Texts{"*"}, Policy: "p", Longest: Period(day)}), "roles.r.longest is 24h"},
		"any web identity": {
			role("r", Role{Policy: "p", WebIdentity: &WebIdentity{Issuer: "https://i", Audience: "a"}}), "roles.r.web-identity.subjects is missing",
		},
		"bucket of nothing":     {bucket("abc", Bucket{}), "buckets.abc must have either"},
		"bucket of both":        {bucket("abc", Bucket{Folder: "f", S3: &S3{}}), "buckets.abc must have either"},
		"bucket's name":         {bucket("a/b", Bucket{Folder: "f"}), "buckets.a/b: a bucket's name"},
		"folder for all":        {bucket("*", Bucket{Folder: "f"}), "buckets.*: only s3 can"},
		"one bucket for all":    {bucket("*", Bucket{S3: &S3{Bucket: "b"}}), "buckets.*.s3.bucket cannot be set"},
		"endpoint":              {bucket("abc", Bucket{S3: &S3{Endpoint: "ftp://h"}}), `buckets.abc.s3.endpoint begins with "ftp"`},
		"half of credentials":   {bucket("abc", Bucket{S3: &S3{AccessKeyID: "a"}}), "buckets.abc.s3 needs both"},
		"the other half":        {bucket("abc", Bucket{S3: &S3{SecretAccessKey: NewSecret("a")}}), "buckets.abc.s3 needs both"},
		"session alone":         {bucket("abc", Bucket{S3: &S3{SessionToken: NewSecret("a")}}), "buckets.abc.s3.session-token needs"},
		"topic's name":          {func(s *Server) { s.Topics = map[string][]Sink{"t": {{File: &File{"p"}}}} }, "topics.t: a topic is named by its ARN"},
		"topic without sinks":   {func(s *Server) { s.Topics = map[string][]Sink{topic: nil} }, topic + " needs at least one"},
		"sink of nothing":       {sink(Sink{}), "topics." + topic + "[0] needs one of"},
		"SNS's credentials":     {sink(Sink{SNS: &SNS{AccessKeyID: "a"}}), "[0].sns needs both"},
		"webhook's URL":         {sink(Sink{Webhook: &Webhook{}}), "[0].webhook.url is missing"},
		"webhook's scheme":      {sink(Sink{Webhook: &Webhook{URL: "file://h/x"}}), `[0].webhook.url begins with "file"`},
		"webhook's secret":      {sink(Sink{Webhook: &Webhook{URL: "https://h"}}), "[0].webhook.secret is missing"},
		"NATS's URL":            {sink(Sink{NATS: &NATS{URLs: URLs{"http://h"}}}), "[0].nats.url begins with"},
		"NATS's subject":        {sink(Sink{NATS: &NATS{URLs: URLs{"nats://h"}}}), "[0].nats.subject is missing"},
		"Kafka's brokers":       {sink(Sink{Kafka: &Kafka{Topic: "t"}}), "[0].kafka.brokers is missing"},
		"Kafka's broker's port": {sink(Sink{Kafka: &Kafka{Brokers: Texts{"a b"}, Topic: "t"}}), `[0].kafka.brokers: "a b" is neither`},
		"Kafka's topic":         {sink(Sink{Kafka: &Kafka{Brokers: Texts{"h:1"}}}), "[0].kafka.topic is missing"},
		"Kafka's password":      {sink(Sink{Kafka: &Kafka{Brokers: Texts{"h:1"}, Topic: "t", User: "u"}}), "kafka.user and"},
		"NATS's URLs":           {sink(Sink{NATS: &NATS{Subject: "s"}}), "[0].nats.url is missing"},
		"file's path":           {sink(Sink{File: &File{}}), "[0].file.path is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := DefaultServer()
			c.spoil(&s)
			if err := s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestServerValidateTellsAll(t *testing.T) {
	t.Parallel()
	s := DefaultServer()
	s.Listen, s.OpenJobs, s.Region = ":80", 0, ""
	s.Buckets = map[string]Bucket{"abc": {}}
	err := s.Validate()
	for _, key := range []string{"listen", "open-jobs", "region", "buckets.abc"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v does not name %s", err, key)
		}
	}
}

func TestOpenListenersThatAreAllowed(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*Server){
		"TLS":          func(s *Server) { s.TLSCertificate, s.TLSKey = "c", "k" },
		"plain HTTP":   func(s *Server) { s.PlainHTTP = true },
		"any port":     func(s *Server) { s.Listen, s.MetricsListen = "127.0.0.1:0", "127.0.0.1:0" },
		"unsigned":     func(s *Server) { s.Listen, s.Unsigned = "[::1]:8420", true },
		"by name":      func(s *Server) { s.Listen, s.Unsigned = "localhost:8420", true },
		"all loopback": func(s *Server) { s.Listen, s.Unsigned = "127.9.9.9:8420", true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := DefaultServer()
			s.Listen = ":8420"
			set(&s)
			if err := s.Validate(); err != nil {
				t.Error(err)
			}
			if s.MetricsBesideAPI() && !s.Listen.Loopback() {
				t.Error("metrics are open to everybody")
			}
		})
	}
}

func TestServerReadAndWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, in, out string // out is empty where in must be refused
	}{
		{"listen", "127.0.0.1:0", "127.0.0.1:0"},
		{"listen", ":8420", ":8420"},
		{"listen", "[fe80::1%eth0]:80", "[fe80::1%eth0]:80"},
		{"listen", "8420", ""},
		{"listen", "host:65536", ""},
		{"listen", "host:http", ""},
		{"listen", "a b:1", ""},
		{"listen", "::1:80", ""},
		{"unsigned", "true", "true"},
		{"unsigned", "0", "false"},
		{"unsigned", "yes", ""},
		{"region", "eu-central-1", "eu-central-1"},
		{"region", "EU", ""},
		{"account", "123456789012", "123456789012"},
		{"account", "12345678901x", ""},
		{"keep-results", "7d", "168h"},
		{"keep-results", "3650d", "87600h"},
		{"keep-results", "3651d", ""},
		{"keep-results", "99999999999999d", ""},
		{"keep-results", "1.5d", ""},
		{"keep-results", "0d", ""},
		{"keep-results", "-1h", ""},
		{"keep-analyses", "12h", "12h"},
		{"keep-analyses", "7d", "168h"},
		{"keep-analyses", "0", "0"},
		{"keep-analyses", "forever", "forever"},
		{"keep-analyses", "always", ""},
		{"keep-analyses", "0d", ""},
		{"keep-analyses", "-1h", ""},
		{"rate", "2.5", "2.5"},
		{"rate", "-1", ""},
		{"rate", "NaN", ""},
		{"rates", "B=2, A = 0.5 ,", "A=0.5,B=2"},
		{"rates", "A", ""},
		{"rates", "A=1,A=2", ""},
		{"rates", "A=x", ""},
		{"rates", "=1", ""},
		{"formats", "aws", "aws"},
		{"formats", "AWS", ""},
		{"absent-attributes", "neutral", "neutral"},
		{"unknown-topics", "log", "log"},
		{"log-level", "warn", "warn"},
		{"log-level", "WARN", ""},
		{"log-format", "json", "json"},
		{"max-body", "20MiB", "20MiB"},
		{"max-body", "0", ""},
		{"gallery-memory", "0", "0"},
		{"gallery-memory", "16GB", "16GB"},
		{"gallery-memory", "0.5", ""},
	} {
		t.Run(c.key+"="+c.in, func(t *testing.T) {
			t.Parallel()
			s := DefaultServer()
			for _, set := range s.Settings() {
				if set.Key != c.key {
					continue
				}
				err := set.Value.UnmarshalText([]byte(c.in))
				if (err != nil) != (c.out == "") {
					t.Fatalf("error %v", err)
				}
				if err == nil && set.Text() != c.out {
					t.Errorf("written as %q, want %q", set.Text(), c.out)
				}
			}
		})
	}
}

// Every value of the table writes itself so that it reads back as itself.
func TestServerTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := DefaultServer()
		s.KeepResults = Period(rapid.Int64Range(1, int64(maxPeriod)).Draw(t, "keep"))
		s.MaxBody = Size(rapid.Int64Range(1, int64(maxSize)).Draw(t, "body"))
		s.Rate = PerSecond(rapid.Float64Range(0, maxPerSecond).Draw(t, "rate"))
		s.Unsigned = Switch(rapid.Bool().Draw(t, "unsigned"))
		for _, operation := range rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z][a-zA-Z.]{0,20}`), 1, 5, rapid.ID).Draw(t, "operations") {
			if s.Rates == nil {
				s.Rates = Rates{}
			}
			s.Rates[operation] = PerSecond(rapid.Float64Range(0, maxPerSecond).Draw(t, "of one"))
		}
		back := DefaultServer()
		written := s.Settings()
		for i, set := range back.Settings() {
			if err := set.Value.UnmarshalText([]byte(written[i].Text())); err != nil {
				t.Fatalf("%s: %v", set.Key, err)
			}
		}
		if !reflect.DeepEqual(s, back) {
			t.Fatalf("read back %+v, want %+v", back, s)
		}
	})
}

func TestAddBucket(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"archive=/srv/video": "/srv/video", "a.b-c_D=x=y": "x=y", "abc": "", "abc=": "", "=x": "", "ab=x": "", "a b c=x": "",
		"*=x": "", "...=x": "", "abc=a\x00b": "",
	} {
		var s Server
		err := s.AddBucket(text)
		name, _, _ := strings.Cut(text, "=")
		if (err == nil) != (want != "") || string(s.Buckets[name].Folder) != want {
			t.Errorf("%q: %v, %+v", text, err, s.Buckets)
		}
	}
}

func TestMostOpenJobs(t *testing.T) {
	t.Parallel()
	s := Server{OpenJobs: 20}
	if n := s.MostOpenJobs(); n != 200 {
		t.Errorf("unless something else is said all keys together have %d open jobs", n)
	}
	if s.AllOpenJobs = 7; s.MostOpenJobs() != 7 {
		t.Errorf("%d open jobs of all, and not as many as was said", s.MostOpenJobs())
	}
}
