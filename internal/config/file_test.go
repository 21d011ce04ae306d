package config

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const example = "../../spotter.example.yml"

// unset is an environment without variables.
func unset(string) (string, bool) { return "", false }

func environment(pairs map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := pairs[name]; return v, ok }
}

// files is a disk of a few files.
func files(content map[string]string) func(string, int64) ([]byte, error) {
	return func(path string, limit int64) ([]byte, error) {
		text, ok := content[path]
		if !ok || int64(len(text)) > limit {
			return nil, fmt.Errorf("open %s: %w", path, os.ErrNotExist)
		}
		return []byte(text), nil
	}
}

// parse reads a file's text over the defaults.
func parse(text string, env, disk map[string]string) (Config, Server, error) {
	f := file{name: "etc/spotter.yml", folder: "etc", lookup: environment(env), read: files(disk)}
	c, s := Default(), DefaultServer()
	err := f.parse([]byte(text), &c, &s)
	return c, s, err
}

func TestExampleIsTheDefaults(t *testing.T) {
	t.Parallel()
	text := exampleText(t)
	f := file{name: "example", folder: ".", lookup: unset, read: files(nil)}
	// The values that the file must put back.
	c, s := Default(), Server{}
	for _, setting := range c.Shared() {
		reflect.ValueOf(setting.Value).Elem().SetZero()
	}
	if err := f.parse([]byte(text), &c, &s); err != nil {
		t.Fatal(err)
	}
	if c != Default() {
		t.Errorf("the example sets %+v\nthe defaults are %+v", c, Default())
	}
	if !reflect.DeepEqual(s, DefaultServer()) {
		t.Errorf("the example sets %+v\nthe defaults are %+v", s, DefaultServer())
	}
}

// What the example shows as comments is right as well, and shows every key that there is.
func TestExampleShowsEveryKey(t *testing.T) {
	t.Parallel()
	// Prose begins with "# " and a word; examples have no space behind the mark, or several.
	shown := regexp.MustCompile(`(?m)^#(\S|  +\S)`).ReplaceAllStringFunc(exampleText(t), func(mark string) string {
		return mark[1:]
	})
	shown = strings.Replace(shown, "rates: {}\n", "", 1)
	shown = regexp.MustCompile(`(?m)^ {5}\S.*$`).ReplaceAllString(shown, "") // indented by five: prose after all
	env := map[string]string{"S3_SECRET": "a", "S3_SESSION": "b", "SNS_SECRET": "c", "SNS_SESSION": "d", "HOOK_SECRET": "e", "KAFKA_PASSWORD": "f"}
	f := file{name: "example", folder: ".", lookup: environment(env), read: files(nil)}
	c, s := Default(), DefaultServer()
	if err := f.parse([]byte(shown), &c, &s); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
	sinks := s.Topics["arn:aws:sns:us-east-1:000000000000:AmazonRekognition-done"]
	if len(s.Buckets) != 3 || len(sinks) != len(sinkKeys()) {
		t.Errorf("%d buckets and %d sinks, want 3 and one of each kind", len(s.Buckets), len(sinks))
	}
	for _, key := range append(allKeys(&c, &s), "buckets", "topics") {
		if !regexp.MustCompile(`(?m)^[ -]*` + regexp.QuoteMeta(key) + `:( |$)`).MatchString(shown) {
			t.Errorf("the example does not show %q", key)
		}
	}
}

// allKeys are the keys of every table.
func allKeys(c *Config, s *Server) (keys []string) {
	tables := [][]Setting{c.Shared(), s.Settings(), (&S3{}).settings(), {{Key: "folder"}, {Key: "s3"}}}
	for _, key := range sinkKeys() {
		keys = append(keys, key)
		tables = append(tables, (&Sink{}).make(key).settings())
	}
	for _, table := range tables {
		for _, setting := range table {
			keys = append(keys, setting.Key)
		}
	}
	return keys
}

func exampleText(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestFileMistakes(t *testing.T) {
	t.Parallel()
	deep := "arn:aws:sns:us-east-1:000000000000:t"
	for name, c := range map[string]struct{ in, want string }{
		"misspelt":           {"listen: :1\nmax-bodi: 1MB\n", `etc/spotter.yml:2: the file has no key "max-bodi"; did you mean "max-body"?`},
		"underscores":        {"Max_Body: 1MB", `did you mean "max-body"?`},
		"unlike any":         {"colour: red", `the file has no key "colour"` + "\n"},
		"twice":              {"region: a\n\nregion: b", `etc/spotter.yml:3: the file has the key "region" twice`},
		"bad value":          {"open-jobs: many", `etc/spotter.yml:1: open-jobs: "many" is not a whole number`},
		"of searches":        {"threshold: 90", `the file has no key "threshold"`},
		"engine's":           {"sample-rate: 100", `etc/spotter.yml:1: sample-rate: "100" is not a number between`},
		"no value":           {"open-jobs:", "open-jobs: it has no value"},
		"list for one":       {"open-jobs: [1]", "open-jobs: a single value is wanted"},
		"mapping for one":    {"open-jobs: {a: 1}", "open-jobs: a single value is wanted"},
		"not a mapping":      {"- listen", "the file must be a mapping"},
		"not YAML":           {"listen: [", "etc/spotter.yml is not YAML: line"},
		"two documents":      {"region: a\n---\nregion: b", "behind the end of its first YAML document"},
		"anchor":             {"data: &x a\ncache: b", "data: anchors and aliases are not supported"},
		"alias":              {"data: a\ncache: *x", "is not YAML"},
		"merge":              {"<<: {region: a}", `no key "<<"`},
		"complex key":        {"? [a, b]\n: 1", "a key that is not a word"},
		"bad rate":           {"rates: {StartFaceSearch: fast}", `rates: StartFaceSearch: "fast" is not a number`},
		"rate of nothing":    {"rates: {'': 1}", "not the name of an operation"},
		"rate list":          {"rates: [a]", "rates: a single value is wanted"},
		"bucket's key":       {"buckets:\n  a:\n    foldr: /x", `etc/spotter.yml:3: buckets.a has no key "foldr"; did you mean "folder"?`},
		"bucket's kind":      {"buckets: {abc: /x}", "buckets.abc must be a mapping"},
		"s3's value":         {"buckets: {abc: {s3: {path-style: maybe}}}", `buckets.abc.s3.path-style: "maybe" is neither true nor false`},
		"s3's URL":           {"buckets: {abc: {s3: {endpoint: minio:9000}}}", "buckets.abc.s3.endpoint: this is not a URL"},
		"secret and file":    {"buckets: {abc: {s3: {secret-access-key: a, secret-access-key-file: b}}}", "choose one"},
		"secret file gone":   {"buckets: {abc: {s3: {secret-access-key-file: b}}}", "secret-access-key-file: open etc/b"},
		"secret file empty":  {"buckets: {abc: {s3: {secret-access-key-file: empty}}}", "the file empty is empty"},
		"secret file folder": {"buckets: {abc: {s3: {secret-access-key-file: [b]}}}", "the path of a file is wanted"},
		"no variable":        {"buckets: {abc: {s3: {secret-access-key: '${NONE}'}}}", `variable "NONE" is not set`},
		"misspelt file key":  {"buckets: {abc: {s3: {secret-access-key-fil: b}}}", `did you mean "secret-access-key-file"?`},
		"no such -file":      {"buckets: {abc: {s3: {region-file: b}}}", `no key "region-file"`},
		"topic's kind":       {"topics: {" + deep + ": {file: {path: a}}}", "must be a list of sns"},
		"two in one":         {"topics:\n  " + deep + ":\n    - file: {path: a}\n      nats: {url: nats://h, subject: s}", "a dash of its own"},
		"sink's key":         {"topics: {" + deep + ": [webhok: {}]}", `did you mean "webhook"?`},
		"control character":  {`topics: {` + deep + `: [nats: {subject: "a\nb"}]}`, "control character"},
		"brokers nested":     {"topics: {" + deep + ": [kafka: {brokers: [[a]]}]}", "a list of single values"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := parse(c.in, nil, map[string]string{"etc/empty": "\n"})
			if err == nil || !strings.Contains(err.Error()+"\n", c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestFileTellsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, s, err := parse("listen: nowhere\nopen-jobs: -1\nregion: eu-west-1\nnothing: 1\n", nil, nil)
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != 3 {
		t.Fatalf("got %v, want three mistakes", err)
	}
	if s.Region != "eu-west-1" || s.OpenJobs != 20 {
		t.Errorf("region %s and open jobs %d: what can be read is set, what cannot stays", s.Region, s.OpenJobs)
	}
	_, _, err = parse(strings.Repeat("region: a\n", 100), nil, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "and 74 more mistakes") {
		t.Errorf("got %v, want the end left off", err)
	}
}

func TestFileSetsEverything(t *testing.T) {
	t.Parallel()
	text := `
account: 000000000042
sample-rate: 2
keep-results: 30d
models: packs/own
decoder: /opt/decode
rates: {StartFaceSearch: 5, SpotterService.ListJobs: 0.5}
buckets:
  archive: {folder: videos}
  far: {s3: {access-key-id: me, secret-access-key-file: key, endpoint: "${ENDPOINT}"}}
roles:
  searcher:
    trust: [portal, role/deploy]
    policy: searcher.json
    longest: 2h
    web-identity: {issuer: https://id.example.org, audience: spotter, subjects: ["repo:films/*"], ca-file: ca.pem}
topics:
  arn:aws:sns:us-east-1:000000000000:t:
    - webhook: {url: "${HOOK}", secret: ["${A}", b]}
    - webhook: {url: "https://h/2", secret-file: two}
`
	env := map[string]string{"HOOK": "https://u:p@h/x?y", "A": "a", "ENDPOINT": "http://minio:9000"}
	c, s, err := parse(text, env, map[string]string{"etc/key": "secret\n", "etc/two": "c\r\nd\n"})
	if err != nil {
		t.Fatal(err)
	}
	want, server := Default(), DefaultServer()
	want.SampleRate, want.Models, want.Helper = 2, "etc/packs/own", "/opt/decode"
	server.Account, server.KeepResults = "000000000042", Period(30*24*time.Hour)
	server.Rates = Rates{"StartFaceSearch": 5, "SpotterService.ListJobs": 0.5}
	server.Buckets = map[string]Bucket{
		"archive": {Folder: "etc/videos"},
		"far":     {S3: &S3{AccessKeyID: "me", SecretAccessKey: NewSecret("secret"), Endpoint: "http://minio:9000"}},
	}
	server.Roles = map[string]Role{"searcher": {
		Trust: Texts{"portal", "role/deploy"}, Policy: "etc/searcher.json", Longest: Period(2 * time.Hour),
		WebIdentity: &WebIdentity{
			Issuer: "https://id.example.org", Audience: "spotter", Subjects: Texts{"repo:films/*"}, CAFile: "etc/ca.pem",
		},
	}}
	server.Topics = map[string][]Sink{"arn:aws:sns:us-east-1:000000000000:t": {
		{Webhook: &Webhook{URL: "https://u:p@h/x?y", Secrets: Secrets{NewSecret("a"), NewSecret("b")}, Format: StandardWebhook}},
		{Webhook: &Webhook{URL: "https://h/2", Secrets: Secrets{NewSecret("c"), NewSecret("d")}, Format: StandardWebhook}},
	}}
	if c != want {
		t.Errorf("engine %+v\nwant   %+v", c, want)
	}
	if !reflect.DeepEqual(s, server) {
		t.Errorf("server %+v\nwant   %+v", s, server)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "---\n", "null", "{}"} {
		if c, s, err := parse(text, nil, nil); err != nil || c != Default() || !reflect.DeepEqual(s, DefaultServer()) {
			t.Errorf("%q: %v, %+v", text, err, s)
		}
	}
}

func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	const word = "swordfish"
	s := DefaultServer()
	s.Buckets = map[string]Bucket{"abc": {S3: &S3{SecretAccessKey: NewSecret(word), Endpoint: "https://u:" + word + "@h/" + word}}}
	s.Topics = map[string][]Sink{"t": {{Webhook: &Webhook{Secrets: Secrets{NewSecret(word)}}}}}
	private := struct{ s3 S3 }{*s.Buckets["abc"].S3}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		b := s.Buckets["abc"].S3
		slog.New(handler).Info("x", slog.Any("secret", b.SecretAccessKey), slog.Any("url", b.Endpoint), slog.Any("s3", *b),
			slog.Any("sinks", s.Topics["t"][0].Webhook.Secrets))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		b := s.Buckets["abc"].S3
		fmt.Fprintf(&log, verb+verb+verb, b.SecretAccessKey, s.Topics["t"][0].Webhook.Secrets, []Secret{b.SecretAccessKey})
		if verb != "%#v" {
			fmt.Fprintf(&log, verb, *b)
		}
	}
	private.s3.Endpoint = "" // a plain string inside of what fmt cannot call into
	fmt.Fprintf(&log, "%+v", private)
	if i := strings.Index(log.String(), word); i >= 0 {
		t.Errorf("the secret shows: %s", log.String()[max(0, i-60):i+20])
	}
	if !strings.Contains(log.String(), hidden) {
		t.Error("nothing stands for the secret")
	}
	if got := s.Buckets["abc"].S3.SecretAccessKey.Reveal(); got != word {
		t.Errorf("revealed %q", got)
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "spotter.yml")
	text := "region: from-file\naccount: 111111111111\nopen-jobs: 1\nsample-rate: 8\ndata: d\nbuckets: {one: {folder: f}, two: {folder: f}}"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"SPOTTER_ACCOUNT": "222222222222", "SPOTTER_OPEN_JOBS": "2", "SPOTTER_CONFIG": path, "SPOTTER_RATES": "A=1,B=2"}
	src := Sources{
		LookupEnv: environment(env), Flags: map[string]string{"open-jobs": "3", "workers": "4"},
		Buckets: []string{"two=/flag", "three=x"},
	}
	c, s, err := src.Read()
	if err != nil {
		t.Fatal(err)
	}
	if s.Region != "from-file" || s.Account != "222222222222" || s.OpenJobs != 3 || c.SampleRate != 8 || c.Workers != 4 {
		t.Errorf("%+v %+v: want each from the strongest source", c, s)
	}
	if s.Data != Path(filepath.Join(folder, "d")) || s.CacheFolder() != filepath.Join(folder, "d", "cache") {
		t.Errorf("data %s and cache %s do not start from the file's folder", s.Data, s.CacheFolder())
	}
	want := map[string]Bucket{"one": {Folder: Path(filepath.Join(folder, "f"))}, "two": {Folder: "/flag"}, "three": {Folder: "x"}}
	if !reflect.DeepEqual(s.Buckets, want) {
		t.Errorf("buckets %+v", s.Buckets)
	}
	if !reflect.DeepEqual(s.Rates, Rates{"A": 1, "B": 2}) {
		t.Errorf("rates %v", s.Rates)
	}
}

func TestSourcesTellAllMistakes(t *testing.T) {
	t.Parallel()
	src := Sources{
		File: "f.yml", LookupEnv: environment(map[string]string{"SPOTTER_REGION": "No", "SPOTTER_WORKERS": "x"}),
		Flags: map[string]string{"listen": "x", "nothing": "1"}, Buckets: []string{"a"},
		ReadFile: files(map[string]string{"f.yml": "open-jobs: x"}),
	}
	_, _, err := src.Read()
	for _, want := range []string{
		"f.yml:1: open-jobs", "SPOTTER_REGION", "SPOTTER_WORKERS", "--listen: ", "no setting --nothing", `--bucket: "a"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	src = Sources{LookupEnv: unset, Flags: map[string]string{"workers": "5000", "listen": ":80"}}
	_, _, err = src.Read()
	if err == nil || !strings.Contains(err.Error(), "workers is 5000") || !strings.Contains(err.Error(), "listen is :80") {
		t.Errorf("%v does not say what is not valid", err)
	}
	src = Sources{LookupEnv: unset, File: filepath.Join(t.TempDir(), "none.yml")}
	if _, _, err := src.Read(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestReadFileIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if content, err := ReadFile(path, 100); err != nil || len(content) != 100 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
	if _, err := ReadFile(path, 99); err == nil {
		t.Error("a file over the limit is read")
	}
}

func TestReadFileEnds(t *testing.T) {
	t.Parallel()
	if _, err := ReadFile("/dev/zero", 1000); err == nil {
		t.Error("a file without end was read to its end")
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	words := rapid.StringMatching(`[a-d]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := words.Draw(t, "a"), words.Draw(t, "b"), words.Draw(t, "c")
		switch ab := distance(a, b); {
		case ab != distance(b, a):
			t.Error("not symmetric")
		case (ab == 0) != (a == b):
			t.Error("zero for different words, or not for the same")
		case ab > max(len(a), len(b)):
			t.Error("more changes than letters")
		case ab > distance(a, c)+distance(c, b):
			t.Error("shorter by a detour")
		}
	})
}

func FuzzFile(f *testing.F) {
	content, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	for _, seed := range []string{
		"listen: :1", "a: &a [*a]", "buckets: {abc: {s3: {secret-access-key-file: k}}}", "? {a: b}\n: c", "---\n---", "\xff\xfe",
		"topics: {arn:aws:sns:a:000000000000:t: [webhook: {secret: [a, b]}]}", "rates: {A: 1, A: 2}", "- - - -", "!!binary x: y",
		"%YAML 1.1\n---\n{", "account: 0o17\n", "data: |\n  a\n", "listen: !x y",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, s, err := parse(string(content), map[string]string{"A": "b"}, map[string]string{"etc/k": "v"})
		if err != nil {
			return
		}
		// Whatever was read is fit to be checked, and the table still writes what reads back.
		if c.Validate() != nil || s.Validate() != nil {
			return
		}
		again := DefaultServer()
		settings := again.Settings()
		for i, set := range s.Settings() {
			if err := settings[i].Value.UnmarshalText([]byte(set.Text())); err != nil {
				t.Errorf("%s: %v", set.Key, err)
			}
		}
		again.Buckets, again.Topics = s.Buckets, s.Topics
		if len(s.Rates) == 0 {
			again.Rates = s.Rates
		}
		if !reflect.DeepEqual(s, again) {
			t.Errorf("read back %+v\nwant %+v", again, s)
		}
	})
}
