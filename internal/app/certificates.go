package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"

	"github.com/spotter-video/spotter/internal/fault"
)

// certificates are the server's certificate, which can be read again while it serves. Safe for concurrent use. Nil has none.
type certificates struct {
	file, key string
	current   atomic.Pointer[tls.Certificate]
}

// openCertificates reads the certificate, if there is to be one.
func (s *server) openCertificates(context.Context) error {
	if !s.config.TLS() {
		return nil
	}
	c := &certificates{file: string(s.config.TLSCertificate), key: string(s.config.TLSKey)}
	if err := c.read(); err != nil {
		return &fault.UsageError{Err: err}
	}
	s.certificates = c
	return nil
}

// read reads the files. After an error the certificate stays what it was.
func (c *certificates) read() error {
	pair, err := tls.LoadX509KeyPair(c.file, c.key)
	if err != nil {
		return fmt.Errorf("tls-certificate and tls-key: %w", err)
	}
	c.current.Store(&pair)
	return nil
}

// config is how a server of the certificate speaks TLS.
func (c *certificates) config() *tls.Config {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if c != nil {
		settings.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil }
	}
	return settings
}
