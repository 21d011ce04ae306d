package sdktest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/aws/smithy-go"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// TestHosts asks for hosts that are not the server's, as the page of a stranger does whose name leads to this machine.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := here(t)
	for name, with := range map[string]settings{
		"hosts-unsigned": {"unsigned": true}, "hosts-signed": {"allowed-hosts": []string{"faces.example.org"}},
	} {
		s := w.own(t, name, with)
		for host, good := range map[string]bool{
			"": true, "localhost:1": true, "faces.example.org": name == "hosts-signed", "rebound.example": false, "10.0.0.1:8420": false,
		} {
			for _, path := range []string{"/metrics", "/readyz", "/healthz", "/"} {
				r := ok(http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil))(t)
				r.Host = host
				a := ok(send(http.DefaultClient, r))(t)
				if (a.status == http.StatusOK) != good {
					t.Errorf("%s: %s of %q is answered with %d", name, path, host, a.status)
				}
				if !good {
					if wrong := wrongWithError(a.body); a.status != http.StatusMisdirectedRequest || wrong != nil ||
						!strings.Contains(string(a.body), "allowed-hosts") {
						t.Errorf("%s: %s of %q is answered with %d %s: %v", name, path, host, a.status, a.body, wrong)
					}
				}
			}
		}
		// What an SDK makes of it.
		c := s.client(t, func(o *rekognition.Options) {
			o.HTTPClient, o.BaseEndpoint = through(t, s), aws.String("http://rebound.example")
		})
		_, err := c.CreateCollection(t.Context(), &rekognition.CreateCollectionInput{CollectionId: aws.String("rebound")})
		if e := smithy.APIError(nil); !errors.As(err, &e) || e.ErrorCode() != "AccessDeniedException" {
			t.Errorf("%s: an SDK is told %v", name, err)
		}
	}
}

// through is a client for whom every name leads to the server.
func through(t *testing.T, s *server) *http.Client {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.url, "http://"))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// stranger opens a connection and begins a request with an access key, of a body that never comes.
func (s *server) stranger(t *testing.T, key string, sent int) net.Conn {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	now := time.Now().UTC()
	// It may have been told so already.
	_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Date: %s\r\nX-Amz-Target: RekognitionService.DetectFaces\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/us-east-1/rekognition/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=00\r\nContent-Length: %d\r\n\r\n",
		strings.TrimPrefix(s.url, "http://"), now.Format("20060102T150405Z"), key, now.Format("20060102"), 15<<20)
	_, _ = c.Write(bytes.Repeat([]byte{'x'}, sent))
	return c
}

// TestStrangersShutNobodyOut has strangers with invented access keys, and with one that they know the id of only, hold as many
// connections and send as much as they can, while somebody who has a key calls.
func TestStrangersShutNobodyOut(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "strangers", nil)
	id := ok(s.credentials(t.Context()))(t).AccessKeyID
	for name, attack := range map[string]func(int) net.Conn{
		"invented keys":    func(i int) net.Conn { return s.stranger(t, fmt.Sprintf("AKIAINVENTED%08d", i), 1000) },
		"no secret":        func(int) net.Conn { return s.stranger(t, id, 100) },
		"and large bodies": func(int) net.Conn { return s.stranger(t, id, 10<<20) },
	} {
		strangers := 700
		if name == "and large bodies" {
			strangers = 60
		}
		var all []net.Conn
		for i := range strangers {
			all = append(all, attack(i))
		}
		// From another address, whatever the strangers hold; from theirs where nothing is held for them.
		clients := map[string]string{"another address": "127.0.0.2"}
		if name == "invented keys" {
			clients["the same address"] = "127.0.0.1"
		}
		for whose, address := range clients {
			c := s.client(t, func(o *rekognition.Options) { o.HTTPClient = calling(t, address) })
			for range 20 {
				if _, err := c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); err != nil {
					t.Fatalf("%s: from %s: %v", name, whose, err)
				}
			}
			if _, err := c.DetectFaces(t.Context(), &rekognition.DetectFacesInput{Image: sent(t, anna)}); err != nil {
				t.Fatalf("%s: a photo from %s: %v", name, whose, err)
			}
		}
		for _, c := range all {
			_ = c.Close()
		}
	}
}

// calling is a client that calls from an address of this machine.
func calling(t *testing.T, address string) *http.Client {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{DialContext: d.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestConnectionsOfStrangers opens more connections than there may be, and asks nothing.
func TestConnectionsOfStrangers(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "connections", settings{"connections": 64})
	for range 300 {
		c := ok(new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://")))(t)
		t.Cleanup(func() { _ = c.Close() })
	}
	for _, address := range []string{"127.0.0.1", "127.0.0.2"} {
		c := s.client(t, func(o *rekognition.Options) { o.HTTPClient = calling(t, address) })
		ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))(t)
	}
	metrics := string(ok(get(t.Context(), s.url+"/metrics"))(t).body)
	if !strings.Contains(metrics, "spotter_connections_cut_total 2") { // some 280
		t.Error("connections that were cut are not counted")
	}
}

// TestStrangersFillNoDisk sends thousands of requests that are refused.
func TestStrangersFillNoDisk(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "full-log", settings{"log-level": "debug"})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 300 {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader("{}"))
				if err != nil {
					t.Error(err)
					return
				}
				if a, err := send(http.DefaultClient, r); err != nil || a.status != http.StatusBadRequest {
					t.Errorf("%+v, %v", a, err)
					return
				}
			}
		})
	}
	senders.Wait()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	log := s.log.String()
	if n := strings.Count(log, `msg="request refused"`); n < 5 || n > 50 {
		t.Errorf("%d of 1200 refusals were written", n)
	}
	if !strings.Contains(log, `msg="more of these were not written" these="request refused: MissingAuthenticationTokenException" more=`) {
		t.Errorf("how many there were is not said:\n%.2000s", log)
	}
	if entries := ok(os.ReadFile(filepath.Join(s.data, "audit.log")))(t); len(entries) > 0 {
		t.Errorf("strangers are in the audit log: %.200s", entries)
	}
}

// TestBasePath has the clients that people use go to an endpoint URL with a path, and to URLs that end with slashes.
func TestBasePath(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "base-path", settings{"base-path": "/rekognition/"})
	if !strings.HasSuffix(s.url, "/rekognition") {
		t.Fatalf("it says that it is at %s", s.url)
	}
	root := strings.TrimSuffix(s.url, "/rekognition")
	urls := []string{s.url, s.url + "/", s.url + "//", root, root + "/", root + "//"}
	for _, url := range urls {
		c := s.client(t, func(o *rekognition.Options) { o.BaseEndpoint = &url })
		if _, err := c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); err != nil {
			t.Errorf("Go at %s: %v", url, err)
		}
	}
	t.Run("boto3", func(t *testing.T) {
		t.Parallel()
		python := installed(t, "boto3", func(program string) bool {
			return exec.CommandContext(t.Context(), program, "-c", "import boto3").Run() == nil
		}, "/usr/bin/python3", "python3")
		s.list(t, urls, python, "-c", `import boto3, os
for url in os.environ["URLS"].split():
    try:
        boto3.client("rekognition", endpoint_url=url).list_collections()
    except Exception as e:
        raise SystemExit(url + ": " + str(e))`)
	})
	t.Run("command line", func(t *testing.T) {
		t.Parallel()
		aws := installed(t, "the AWS command line", func(program string) bool {
			return exec.CommandContext(t.Context(), program, "--version").Run() == nil
		}, "/usr/bin/aws", "aws")
		for _, url := range []string{s.url, root + "//"} { // it starts slowly
			s.list(t, []string{url}, aws, "--endpoint-url", url, "rekognition", "list-collections")
		}
	})
	t.Run("JavaScript", func(t *testing.T) {
		t.Parallel()
		node := installed(t, "Node.js with AWS's SDK", func(string) bool {
			_, err := os.Stat(filepath.Join("js", "node_modules", "@aws-sdk", "client-rekognition"))
			return err == nil
		}, "node")
		s.list(t, urls, node, "--input-type=module", "-e", `import * as aws from "@aws-sdk/client-rekognition";
for (const endpoint of process.env.URLS.split(" "))
  await new aws.RekognitionClient({ endpoint, maxAttempts: 1 }).send(new aws.ListCollectionsCommand({})).catch((e) => {
    throw new Error(endpoint + ": " + e.message);
  });`)
	})
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if a := ok(get(t.Context(), root+path))(t); a.status != http.StatusOK {
			t.Errorf("%s is answered with %d", path, a.status)
		}
	}
}

// list runs a program that lists the collections at URLs of the server.
func (s *server) list(t *testing.T, urls []string, program string, arguments ...string) {
	t.Helper()
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Dir, cmd.WaitDelay = "js", time.Second
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.world.folder, "LC_ALL=C.UTF-8", "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(s.data, "credentials"), "AWS_DEFAULT_REGION=us-east-1", "AWS_REGION=us-east-1", "AWS_PAGER=",
		"URLS=" + strings.Join(urls, " "),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", program, err, out)
	}
}

// look asks for a path beside the API, whoever has signed the server's certificate.
func (s *server) look(ctx context.Context, path string) (*answer, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	u.Path = path
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	return send(&http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}, r)
}

// TestReload has a server read its certificate and its topics again, twice what it can use and once what it cannot.
func TestReload(t *testing.T) {
	t.Parallel()
	w := here(t)
	folder := t.TempDir()
	certificate, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	first := issue(t, certificate, key)
	s := w.own(t, "reload", settings{"tls-certificate": certificate, "tls-key": key})
	if got := s.shown(t); got != first {
		t.Fatalf("it shows certificate %s, want %s", got, first)
	}
	second := issue(t, certificate, key)
	s.hangUp(t, "were read again")
	if got := s.shown(t); got != second {
		t.Errorf("it shows certificate %s, want %s", got, second)
	}
	if err := os.WriteFile(key, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hangUp(t, "cannot be used")
	if got := s.shown(t); got != second {
		t.Errorf("after one that cannot be used it shows certificate %s, want %s", got, second)
	}
}

// hangUp asks the server to read things again, and waits until it says what came of it.
func (s *server) hangUp(t *testing.T, said string) {
	t.Helper()
	before := strings.Count(s.log.String(), said)
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return strings.Count(s.log.String(), said) > before })
}

// TestReloadOfTopics has a server learn of a topic while it runs, and tell it.
func TestReloadOfTopics(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "reload-topics", nil)
	c := s.client(t)
	in := rekognition.StartFaceSearchInput{
		CollectionId: collection(t, c), Video: film("clip.mp4"),
		NotificationChannel: &types.NotificationChannel{SNSTopicArn: new(knownTopic), RoleArn: new(someRole)},
	}
	_, err := c.StartFaceSearch(t.Context(), &in)
	refused[*types.InvalidParameterException](t, err, "")

	path, heard := filepath.Join(w.folder, "reload-topics.yml"), filepath.Join(t.TempDir(), "heard.jsonl")
	var all settings
	if err := json.Unmarshal(ok(os.ReadFile(path))(t), &all); err != nil {
		t.Fatal(err)
	}
	all["topics"] = map[string]any{knownTopic: []any{map[string]any{"file": map[string]any{"path": heard}}}}
	if err := os.WriteFile(path, ok(json.Marshal(all))(t), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hangUp(t, "were read again")
	job := ok(c.StartFaceSearch(t.Context(), &in))(t)
	await(t, func() bool {
		told, err := os.ReadFile(heard)
		return err == nil && bytes.Contains(told, []byte(*job.JobId))
	})
}

// issue writes a certificate of a new serial number and its key, and gives that number.
func issue(t *testing.T, certificate, key string) string {
	t.Helper()
	private := ok(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	serial := ok(rand.Int(rand.Reader, big.NewInt(1<<62)))(t)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "spotter"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der := ok(x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private))(t)
	secret := ok(x509.MarshalPKCS8PrivateKey(private))(t)
	err := errors.Join(
		os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return serial.String()
}

// shown is the serial number of the certificate that a server shows.
func (s *server) shown(t *testing.T) string {
	t.Helper()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} // it is this one's number that is asked for
	c := ok(d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "https://")))(t)
	defer func() { _ = c.Close() }()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String() //nolint:errcheck,forcetypeassert // it is
}

// TestSmuggling sends requests whose end two readers may see at two places.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	s := here(t).server
	ctx, cancel := patience.Usual().Context(t.Context())
	defer cancel()
	for _, head := range []string{
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n",
	} {
		c := ok(new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://")))(t)
		context.AfterFunc(ctx, func() { _ = c.Close() })
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: localhost\r\n"+head+"\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		answers, _ := io.ReadAll(c)
		if status := string(answers[:min(12, len(answers))]); status != "HTTP/1.1 400" && status != "HTTP/1.1 501" ||
			bytes.Contains(answers, []byte("alive")) {
			t.Errorf("%q is answered with %s", head, answers)
		}
	}
}

// TestThrottledCallersFillNoDisk has somebody with a key ask more often than they may.
func TestThrottledCallersFillNoDisk(t *testing.T) {
	t.Parallel()
	w := here(t)
	s := w.own(t, "throttled", settings{"rates": map[string]any{"ListCollections": 0.01}})
	c := s.client(t)
	ok(c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{}))(t)
	for range 100 {
		_, err := c.ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
		refused[*types.ProvisionedThroughputExceededException](t, err, "")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	entries := string(ok(os.ReadFile(filepath.Join(s.data, "audit.log")))(t))
	if n := strings.Count(entries, "ProvisionedThroughputExceededException"); n < 6 || n > 30 {
		t.Errorf("%d entries of 100:\n%.2000s", n, entries)
	}
	more := 0
	for line := range strings.Lines(entries) {
		var entry struct{ More int }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		more += entry.More
	}
	if written := strings.Count(entries, "ProvisionedThroughputExceededException"); more+written < 100 {
		t.Errorf("%d were written and %d more counted, of 100", written, more)
	}
}
