package gate_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spotter-video/spotter/internal/gate"
	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// guarded is a server behind a gate.
type guarded struct {
	gate    *gate.Gate
	address string
}

func guard(t *testing.T, cfg gate.Config, handler http.HandlerFunc) *guarded {
	t.Helper()
	cfg.Refuse = func(w http.ResponseWriter, _ *http.Request, status int, exception, _ string) {
		http.Error(w, exception, status)
	}
	if cfg.Connections == 0 {
		cfg.Connections = 100
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	g := gate.New(cfg)
	g.Guard(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return &guarded{g, l.Addr().String()}
}

func (g *guarded) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", g.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil { // so that a failure shows before the tests' own end
		t.Fatal(err)
	}
	return c
}

// opened waits until so many connections are open.
func (g *guarded) opened(t *testing.T, want int) {
	t.Helper()
	n := 0
	if !patience.Usual().Until(t.Context(), func() bool {
		n, _ = g.gate.Connections()
		return n == want
	}) {
		t.Fatalf("%d connections are open, want %d", n, want)
	}
}

// send writes a request and reads the status of the answer.
func send(t *testing.T, c net.Conn, request string) (status int, r *bufio.Reader) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	r = bufio.NewReader(c)
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, a.Body)
	_ = a.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, r
}

func gone(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	return err != nil
}

func fine(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") }

func TestHosts(t *testing.T) {
	t.Parallel()
	here, named := gate.NewHosts(true, nil), gate.NewHosts(true, []string{"faces.example.org", "10.0.0.7"})
	everywhere, listed := gate.NewHosts(false, nil), gate.NewHosts(false, []string{"faces.example.org"})
	for host, want := range map[string]string{ // the letters of the hosts that have it
		"localhost": "hnal", "LOCALHOST:8420": "hnal", "localhost.:8420": "hnal", "a.b.localhost:1": "hnal", "127.0.0.1:8420": "hnal",
		"127.8.9.1": "hnal", "[::1]:8420": "hnal", "[::1]": "hnal", "[::ffff:127.0.0.1]:1": "hnal", "": "hnal",
		"faces.example.org": "nal", "FACES.example.org:443": "nal", "faces.example.org.": "nal", "10.0.0.7:8420": "nal",
		"192.168.1.1:8420": "al", "[2001:db8::1]:8420": "al",
		"rebound.example": "a", "localhost.example:8420": "a", "127.0.0.1.example": "a", "xlocalhost": "a", "faces.example.org.evil": "a",
		"evil.faces.example.org": "a", "127.1": "a", "0x7f.1": "a", "2130706433": "a", "localhost:8420:1": "a", "[localhost]x": "a",
	} {
		got := ""
		for letter, h := range map[string]gate.Hosts{"h": here, "n": named, "a": everywhere, "l": listed} {
			if h.Has(host) != strings.Contains(want, letter) {
				t.Errorf("%q: %s says %v (%s)", host, letter, h.Has(host), got)
			}
		}
	}
}

func TestSenders(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"10.0.0.7": "10.0.0.7", "::ffff:10.0.0.7": "10.0.0.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"@": "@", "": "",
	} {
		if got := gate.Sender(source); got != want {
			t.Errorf("%q counts for %q, want %q", source, got, want)
		}
	}
}

func TestRequestsForAnotherHost(t *testing.T) {
	t.Parallel()
	g := guard(t, gate.Config{Hosts: gate.NewHosts(true, nil)}, fine)
	for _, path := range []string{"/", "/metrics", "/readyz"} {
		if got, _ := send(t, g.dial(t, "127.0.0.1"), "GET "+path+" HTTP/1.1\r\nHost: rebound.example:8420\r\n\r\n"); got != 421 {
			t.Errorf("%s is answered with %d", path, got)
		}
		if got, _ := send(t, g.dial(t, "127.0.0.1"), "GET http://rebound.example"+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); got != 421 {
			t.Errorf("%s with its host in the first line is answered with %d", path, got)
		}
	}
	if got, _ := send(t, g.dial(t, "127.0.0.1"), "GET / HTTP/1.1\r\nHost: localhost:8420\r\n\r\n"); got != 200 {
		t.Errorf("this machine is answered with %d", got)
	}
}

// What follows a request whose end is not sure is no request.
func TestRequestsWhoseEndIsNotSure(t *testing.T) {
	t.Parallel()
	g := guard(t, gate.Config{}, fine)
	for name, head := range map[string]string{
		"both":        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
		"other order": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
		"one":         "Transfer-Encoding: chunked\r\n",
	} {
		c := g.dial(t, "127.0.0.1")
		const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
		status, rest := send(t, c, "POST / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n0\r\n\r\n"+smuggled)
		if status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
		if more, _ := io.ReadAll(rest); len(more) > 0 {
			t.Errorf("%s: what follows is answered: %s", name, more)
		}
	}
}

func TestOneAddressLeavesConnectionsForOthers(t *testing.T) {
	t.Parallel()
	g := guard(t, gate.Config{Connections: 16}, fine)
	const share = 4
	var first []net.Conn
	for i := range share {
		first = append(first, g.dial(t, "127.0.0.1"))
		g.opened(t, i+1)
	}
	if got, _ := send(t, first[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != 200 { // so that it is not the one that has waited longest
		t.Fatal(got)
	}
	next := g.dial(t, "127.0.0.1")
	if !gone(first[1]) {
		t.Fatal("one address has more than its share")
	}
	for _, c := range []net.Conn{first[0], first[2], first[3], next} {
		if got, _ := send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != 200 {
			t.Errorf("got %d", got)
		}
	}
	if got, _ := send(t, g.dial(t, "127.0.0.2"), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != 200 {
		t.Errorf("another address is answered with %d", got)
	}
	if n, cut := g.gate.Connections(); n != share+1 || cut != 1 {
		t.Errorf("%d open, %d cut", n, cut)
	}
}

// Whoever connects and says nothing, or little, makes room for those who ask; whoever is being answered is not disturbed.
func TestThoseWhoWaitMakeRoom(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	g := guard(t, gate.Config{Connections: 4}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-release
		}
		fine(w, r)
	})
	slow := g.dial(t, "127.0.0.9")
	if _, err := io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	g.opened(t, 1)
	var idle []net.Conn
	for i := range 3 { // four at most, one of each address
		idle = append(idle, g.dial(t, fmt.Sprintf("127.0.0.%d", 10+i)))
		g.opened(t, i+2)
	}
	if _, err := io.WriteString(idle[0], "GET / HT"); err != nil { // part of a request is none
		t.Fatal(err)
	}
	for i := range 20 {
		if got, _ := send(t, g.dial(t, fmt.Sprintf("127.0.1.%d", 10+i)), "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != 200 {
			t.Fatalf("got %d", got)
		}
	}
	if !gone(idle[0]) || !gone(idle[2]) {
		t.Error("those who ask nothing keep their connections")
	}
	close(release)
	a, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal("whoever was being answered was cut off: ", err)
	}
	_ = a.Body.Close()
}

// Where all connections are being answered, the newest has to go.
func TestNobodyMakesRoomWhileAnswered(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	g := guard(t, gate.Config{Connections: 4}, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-release
		fine(w, r)
	})
	var asking []net.Conn
	for i := range 4 {
		c := g.dial(t, fmt.Sprintf("127.0.0.%d", 10+i))
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-entered
		asking = append(asking, c)
	}
	if !gone(g.dial(t, "127.0.0.20")) {
		t.Error("there is more room than was said")
	}
	close(release)
	for _, c := range asking {
		a, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		_ = c.Close()
	}
	g.opened(t, 0)
}

func TestConnectionsAreCountedThroughTheirLives(t *testing.T) {
	t.Parallel()
	g := guard(t, gate.Config{}, fine)
	client := &http.Client{Transport: &http.Transport{}}
	for range 50 {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+g.address, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, a.Body)
		_ = a.Body.Close()
	}
	g.opened(t, 1)
	client.CloseIdleConnections()
	g.opened(t, 0)
}

func FuzzHosts(f *testing.F) {
	for _, seed := range []string{"localhost:8420", "[::1%eth0]:1", "127.0.0.1", "evil.example", "[", "]:", "::", "."} {
		f.Add(seed)
	}
	here := gate.NewHosts(true, nil)
	f.Fuzz(func(t *testing.T, host string) {
		if !here.Has(host) || host == "" {
			return
		}
		// What is taken is loopback in whatever way it is read: no name that the system's resolver would look up elsewhere.
		name := strings.ToLower(host)
		if n, _, err := net.SplitHostPort(name); err == nil {
			name = n
		}
		name = strings.TrimSuffix(strings.Trim(name, "[]"), ".")
		zone, _, _ := strings.Cut(name, "%")
		if ip := net.ParseIP(zone); ip != nil && ip.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost") {
			return
		}
		t.Errorf("%q is taken", host)
	})
}
