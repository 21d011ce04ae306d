package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// webhookClient is the given client, or one of its own, that trusts ca and follows no redirects.
func webhookClient(given *http.Client, ca string) (*http.Client, error) {
	client := &http.Client{Transport: webhookTransport()}
	if given != nil {
		copied := *given
		client = &copied
	}
	client.CheckRedirect = noRedirect
	if ca == "" {
		return client, nil
	}
	t, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("ca: the HTTP client has a transport of its own, which must trust it by itself")
	}
	config, err := tlsConfig(ca)
	if err != nil {
		return nil, err
	}
	t = t.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = config
	}
	t.TLSClientConfig.RootCAs = config.RootCAs
	client.Transport = t
	return client, nil
}

// webhookTransport has no proxy: a receiver inside the house is not to be asked for outside it because of an environment
// variable. The times are those of net/http's default, within what one attempt may take.
func webhookTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    laneWidth,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: answerLimit,
	}
}

// shortAnswers cuts off answers at answerLimit, for clients that read them whole into memory. SNS's are below 1 KB.
type shortAnswers struct{ http.RoundTripper }

// RoundTrip asks.
func (t shortAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(response.Body, answerLimit), response.Body}
	return response, nil
}

// largestCA bounds a file of certificates; a bundle of all the world's authorities has a fifth of it.
const largestCA = 1 << 20

// tlsConfig trusts the certificates of a PEM file and no others; with an empty name those of the system.
func tlsConfig(ca string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return config, nil
	}
	pem, err := readCA(ca)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca: %s holds no certificate in PEM form", ca)
	}
	return config, nil
}

func readCA(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	pem, err := io.ReadAll(io.LimitReader(f, largestCA+1))
	if err == nil && len(pem) > largestCA {
		return nil, fmt.Errorf("%s has more than %d bytes", path, largestCA)
	}
	return pem, err
}
