package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// tcp passes connections on to a socket, as well as it is told to.
type tcp struct {
	listener net.Listener
	mu       sync.Mutex
	socket   string // where to; empty: nowhere
	conns    map[net.Conn]bool

	hangs atomic.Bool  // nothing passes
	delay atomic.Int64 // of each piece
}

func newTCP(ctx context.Context, socket string) (*tcp, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &tcp{listener: l, socket: socket, conns: map[net.Conn]bool{}}
	go p.accept(ctx)
	return p, nil
}

func (p *tcp) port() string { return strconv.Itoa(p.listener.Addr().(*net.TCPAddr).Port) } //nolint:errcheck,forcetypeassert // it is one

// lead makes new connections lead to another socket, and cuts the others.
func (p *tcp) lead(socket string) {
	p.mu.Lock()
	p.socket = socket
	p.mu.Unlock()
	p.cut()
}

// cut breaks all connections.
func (p *tcp) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *tcp) accept(ctx context.Context) {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		socket := p.socket
		p.mu.Unlock()
		var up net.Conn
		if socket != "" {
			up, err = new(net.Dialer).DialContext(ctx, "unix", socket)
		}
		if socket == "" || err != nil {
			_ = c.Close()
			continue
		}
		p.join(c, up)
	}
}

func (p *tcp) join(a, b net.Conn) {
	p.mu.Lock()
	p.conns[a], p.conns[b] = true, true
	p.mu.Unlock()
	end := sync.OnceFunc(func() {
		p.mu.Lock()
		delete(p.conns, a)
		delete(p.conns, b)
		p.mu.Unlock()
		_, _ = a.Close(), b.Close()
	})
	go p.pipe(a, b, end)
	go p.pipe(b, a, end)
}

func (p *tcp) pipe(from, to net.Conn, end func()) {
	defer end()
	piece := make([]byte, 64<<10)
	for {
		n, err := from.Read(piece)
		for p.hangs.Load() && err == nil {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Duration(p.delay.Load()))
		if n > 0 {
			if _, wrong := to.Write(piece[:n]); wrong != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// flaky passes requests on to an S3 server, as well as it is told to.
type flaky struct {
	server *http.Server
	url    string
	// trouble is how many of a hundred requests go wrong.
	trouble atomic.Int64
	counted atomic.Int64
}

func newFlaky(ctx context.Context, upstream string) (*flaky, error) {
	to, err := url.Parse(upstream)
	if err != nil {
		return nil, err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &flaky{url: "http://" + l.Addr().String()}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // which is signed
	}, ModifyResponse: f.spoil}
	f.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.wrong() && rand.IntN(2) == 0 { //nolint:gosec // G404: any will do
			f.counted.Add(1)
			http.Error(w, "<Error><Code>InternalError</Code></Error>", http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, r)
	}), ReadHeaderTimeout: time.Minute}
	go func() { _ = f.server.Serve(l) }()
	return f, nil
}

func (f *flaky) wrong() bool { return rand.Int64N(100) < f.trouble.Load() } //nolint:gosec // G404: any will do

// spoil makes a body end early or come slowly.
func (f *flaky) spoil(r *http.Response) error {
	if !f.wrong() {
		return nil
	}
	f.counted.Add(1)
	if rand.IntN(2) == 0 { //nolint:gosec // G404: any will do
		r.Body = &short{r.Body, r.ContentLength / 2}
	} else {
		r.Body = slow{r.Body}
	}
	return nil
}

// short is a body that ends after so many bytes.
type short struct {
	io.ReadCloser
	left int64
}

// Read fails at the end.
func (s *short) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.ReadCloser.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}

// slow is a body that comes slowly.
type slow struct{ io.ReadCloser }

// Read gives a little after a while.
func (s slow) Read(p []byte) (int, error) {
	time.Sleep(50 * time.Millisecond)
	return s.ReadCloser.Read(p[:min(len(p), 32<<10)])
}
