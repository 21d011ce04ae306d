package bucket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// S3 is a bucket of an S3 server, or all its buckets when configured under the name "*".
type S3 struct {
	// Endpoint is the server's URL, http or https; empty for Amazon's of the region.
	Endpoint string
	// Region is what requests are signed for. If empty: with an endpoint us-east-1, which most other servers take;
	// otherwise what the SDK's usual places say (AWS_REGION, the shared configuration file).
	Region string
	// PathStyle puts the bucket's name into the path of URLs instead of the host's name. Most servers other than Amazon's
	// need it.
	PathStyle bool
	// Bucket is the bucket's name on the server, where it is not the one that it is configured under.
	Bucket string
	// CAFile holds certificates, in PEM, of authorities that are trusted beside the system's.
	CAFile string
	// KeyID, Secret and SessionToken are the credentials. If KeyID is empty they come from the SDK's usual places:
	// environment, shared files, the role of the machine or the container.
	KeyID                string
	Secret, SessionToken Secret
}

// Secret is text that shows itself nowhere: conversion to string is the only way to it.
type Secret string

const hidden = "[hidden]"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func (s S3) connect(name string, env *environment) (backend, error) {
	if err := s.validate(name); err != nil {
		return nil, err
	}
	client, err := s.httpClient(env.limits.Stall)
	if err != nil {
		return nil, err
	}
	provider, region, err := s.identity()
	if err != nil {
		return nil, err
	}
	downloads, err := env.downloads()
	if err != nil {
		return nil, err
	}
	options := s3.Options{
		Region:      region,
		Credentials: provider,
		HTTPClient:  client,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = env.limits.Attempts
			o.MaxBackoff = env.limits.Backoff
		}),
		UsePathStyle: s.PathStyle,
		// Many servers know nothing of the newer checksums, neither in requests nor in answers.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}
	if s.Endpoint != "" {
		options.BaseEndpoint = &s.Endpoint
	}
	return &server{
		client: s3.New(options), http: client, bucket: s.realBucket(name), downloads: downloads.lane(env.limits.Downloads),
		limits: env.limits, log: env.log, wait: retry.NewExponentialJitterBackoff(env.limits.Backoff),
	}, nil
}

// realBucket is the bucket's name on the server; empty if callers give it.
func (s S3) realBucket(name string) string {
	switch {
	case s.Bucket != "":
		return s.Bucket
	case name != anyBucket:
		return name
	}
	return ""
}

func (s S3) validate(name string) error {
	switch {
	case s.Bucket != "" && name == anyBucket:
		return fmt.Errorf("a source for all buckets cannot be one of them, %q", s.Bucket)
	case s.Bucket != "" && !validBucket(s.Bucket):
		return fmt.Errorf("%q is not a bucket's name", s.Bucket)
	case s.KeyID == "" && (s.Secret != "" || s.SessionToken != ""), s.KeyID != "" && s.Secret == "":
		return errors.New("an access key's id and secret are needed together")
	case s.KeyID != "" && s.Endpoint == "" && s.Region == "":
		return errors.New("the region is needed")
	}
	return validEndpoint(s.Endpoint)
}

// validEndpoint never repeats the URL, as it might hold a password.
func validEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("the endpoint is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("the endpoint must begin with http:// or https:// and a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the endpoint must not have a user, a query or a fragment: credentials have settings of their own")
	}
	return nil
}

// defaultRegion is what servers that have no regions mostly expect in signatures.
const defaultRegion = "us-east-1"

// identity gives credentials and region. Nothing else is taken from the environment: AWS_ENDPOINT_URL in particular may
// well be set to reach this very program.
func (s S3) identity() (aws.CredentialsProvider, string, error) {
	region := s.Region
	if region == "" && s.Endpoint != "" {
		region = defaultRegion
	}
	if s.KeyID != "" {
		return aws.NewCredentialsCache(
			credentials.NewStaticCredentialsProvider(s.KeyID, string(s.Secret), string(s.SessionToken))), region, nil
	}
	// The SDK resolves credentials when they are first needed; the context is for reading files only.
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return nil, "", fmt.Errorf("load AWS settings: %w", err)
	}
	if region == "" {
		region = cfg.Region
	}
	if region == "" {
		return nil, "", errors.New("the region is needed: set it, or AWS_REGION")
	}
	return cfg.Credentials, region, nil
}

// httpClient is one with connections of its own, which ends when they have been silent for too long.
func (s S3) httpClient(stall time.Duration) (*http.Client, error) {
	roots, err := s.roots()
	if err != nil {
		return nil, err
	}
	frozen := awshttp.NewBuildableClient().WithReadTimeout(stall).WithTransportOptions(func(t *http.Transport) {
		t.DisableCompression = true // sizes and ranges are those of the object
		t.TLSClientConfig.RootCAs = roots
		t.TLSClientConfig.MinVersion = tls.VersionTLS12
	}).Freeze()
	client, ok := frozen.(*http.Client)
	if !ok {
		return nil, fmt.Errorf("the SDK's HTTP client is a %T", frozen)
	}
	// The endpoint is where objects come from: it is not to have anything else of this network fetched.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = shortErrors{client.Transport}
	return client, nil
}

// roots are the trusted authorities; nil for the system's.
func (s S3) roots() (*x509.CertPool, error) {
	if s.CAFile == "" {
		return nil, nil //nolint:nilnil // as crypto/tls has it
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without certificates trusts the file's only
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s holds no certificate in PEM", s.CAFile)
	}
	return pool, nil
}
