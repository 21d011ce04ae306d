package gate

import (
	"container/list"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Config is what a [Gate] needs.
type Config struct {
	// Hosts are what requests may name.
	Hosts Hosts
	// Connections is how many are held at once. When there are no more, the one that has waited longest without a request is
	// closed, and if none waits the newest.
	Connections int
	// Refuse answers a request that is not let through: with a status, the name of an exception and a sentence.
	Refuse func(w http.ResponseWriter, r *http.Request, status int, exception, message string)
}

// Gate stands before the handler of one server. Make one with [New].
type Gate struct {
	cfg Config

	mu sync.Mutex // guards what follows
	// open are the connections, waiting those of them that no request of is being answered, the longest waiting first.
	open    map[net.Conn]*connection
	waiting *list.List
	by      map[string]int // how many there are of each sender
	cut     int64
}

// connection is one that is open.
type connection struct {
	net    net.Conn
	sender string
	// requests is how many of it are being answered, waits its place among those that wait; one of the two is nothing.
	requests int
	waits    *list.Element
}

// part is which part of all connections one sender may hold: others must always find room, and a proxy stands for many.
const part = 4

// New makes a gate.
func New(cfg Config) *Gate {
	return &Gate{cfg: cfg, open: map[net.Conn]*connection{}, waiting: list.New(), by: map[string]int{}}
}

// Guard puts the gate before a server's handler. The server must not be running yet.
func (g *Gate) Guard(s *http.Server) {
	s.Handler, s.ConnContext, s.ConnState = g.handler(s.Handler), g.arrives, g.changes
}

// Connections says how many are open, and how many have been closed for want of room.
func (g *Gate) Connections() (open int, cut int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open), g.cut
}

type contextKey struct{}

func (g *Gate) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, known := r.Context().Value(contextKey{}).(*connection); known {
			g.begins(c)
			defer g.ends(c)
		}
		switch {
		case len(r.TransferEncoding) > 0:
			// Of a request with a Content-Length as well, net/http has dropped that: whoever stands between here and the client may
			// have gone by it, and take the rest for another request (RFC 9112, 6.1). So neither is answered, nor what follows.
			w.Header().Set("Connection", "close")
			g.cfg.Refuse(w, r, http.StatusBadRequest, "SerializationException",
				"The request has a Transfer-Encoding: send it with a Content-Length, as AWS's SDKs do, and without the other")
		case !g.cfg.Hosts.Has(r.Host):
			g.cfg.Refuse(w, r, http.StatusMisdirectedRequest, "AccessDeniedException", fmt.Sprintf(
				"The request is for the host %q, which is not a name of this server: its operator can list it in allowed-hosts", clipped(r.Host)))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// clipped is as much of what a stranger has written as is repeated.
func clipped(s string) string { return fmt.Sprintf("%.100s", s) }

// arrives takes in a connection, and makes room for it.
func (g *Gate) arrives(ctx context.Context, n net.Conn) context.Context {
	c := &connection{net: n, sender: senderOf(n.RemoteAddr())}
	if victim := g.admit(c); victim != nil {
		shut(victim.net)
	}
	return context.WithValue(ctx, contextKey{}, c)
}

// admit counts a connection. It returns one that is to be closed and counts no more; nil if none.
func (g *Gate) admit(c *connection) (victim *connection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.by[c.sender] >= max(g.cfg.Connections/part, 1):
		victim = g.longest(c.sender)
	case len(g.open) >= g.cfg.Connections:
		victim = g.longest("")
	default:
		g.add(c)
		return nil
	}
	g.cut++
	if victim == nil {
		return c
	}
	g.remove(victim)
	g.add(c)
	return victim
}

// longest is the connection that has waited longest, of one sender or of all; nil if none waits.
func (g *Gate) longest(of string) *connection {
	for e := g.waiting.Front(); e != nil; e = e.Next() {
		if c, is := e.Value.(*connection); is && (of == "" || c.sender == of) {
			return c
		}
	}
	return nil
}

func (g *Gate) add(c *connection) {
	g.open[c.net] = c
	g.by[c.sender]++
	c.waits = g.waiting.PushBack(c)
}

func (g *Gate) remove(c *connection) {
	if g.open[c.net] != c {
		return // it has been
	}
	delete(g.open, c.net)
	if g.by[c.sender]--; g.by[c.sender] == 0 {
		delete(g.by, c.sender)
	}
	if c.waits != nil {
		g.waiting.Remove(c.waits)
		c.waits = nil
	}
}

// changes notes that a connection has ended.
func (g *Gate) changes(n net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.open[n]; c != nil {
		g.remove(c)
	}
}

// begins notes that a request of a connection is being answered.
func (g *Gate) begins(c *connection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.requests++
	if c.waits != nil {
		g.waiting.Remove(c.waits)
		c.waits = nil
	}
}

// ends notes that a request has been answered: a connection without others waits for the next.
func (g *Gate) ends(c *connection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.requests--; c.requests == 0 && g.open[c.net] == c {
		c.waits = g.waiting.PushBack(c)
	}
}

// shut closes a connection at once: TLS would first want to say so, to somebody who may not be listening.
func shut(n net.Conn) {
	if t, is := n.(*tls.Conn); is {
		n = t.NetConn()
	}
	_ = n.Close() // it is given up
}

// Sender is whom an IP address counts for: itself, and of IPv6 its network of 64 bits, which one machine can use the whole of.
func Sender(address string) string {
	from, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	from = from.Unmap().WithZone("")
	if from.Is4() {
		return from.String()
	}
	const network = 64 // bits
	prefix, err := from.Prefix(network)
	if err != nil {
		return address
	}
	return prefix.String()
}

// senderOf is whom a connection from an address counts for.
func senderOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		host = a.String()
	}
	return Sender(host)
}
