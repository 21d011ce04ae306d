package config

import (
	"errors"
	"fmt"
	"strings"
)

// Bucket is where the objects of one name come from. Exactly one of its members is set.
type Bucket struct {
	// Folder is a folder whose files are the objects.
	Folder Path
	S3     *S3
}

// bucketRule is what [isBucketName] wants.
const bucketRule = "3 to 255 letters, digits, '.', '-' and '_', first a letter or digit"

// AnyBucket is the name of the entry that serves every bucket without one of its own, from one S3 account.
const AnyBucket = "*"

// S3 is a bucket of an S3 server.
type S3 struct {
	// Endpoint is the server; empty for AWS.
	Endpoint URL
	// Region of the bucket; empty: us-east-1 where an endpoint is set, otherwise the one that AWS's tools would use.
	Region Region
	// PathStyle puts the bucket's name into the path instead of the host's name: most servers but AWS want it.
	PathStyle Switch
	// Bucket is its name there; empty for the same as here.
	Bucket Text
	// AccessKeyID, SecretAccessKey and SessionToken are the credentials; none: those that AWS's tools would find.
	AccessKeyID     Text
	SecretAccessKey Secret
	SessionToken    Secret
	// CAFile holds the certificates that the server's may be signed by (PEM); empty: the system's.
	CAFile Path
}

func (s *S3) settings() []Setting {
	return []Setting{
		{Key: "endpoint", Value: &s.Endpoint},
		{Key: "region", Value: &s.Region},
		{Key: "path-style", Value: &s.PathStyle},
		{Key: "bucket", Value: &s.Bucket},
		{Key: "access-key-id", Value: &s.AccessKeyID},
		{Key: "secret-access-key", Value: &s.SecretAccessKey},
		{Key: "session-token", Value: &s.SessionToken},
		{Key: "ca-file", Value: &s.CAFile},
	}
}

// AddBucket takes in the value of the flag --bucket: NAME=FOLDER.
func (s *Server) AddBucket(text string) error {
	name, folder, found := strings.Cut(text, "=")
	var path Path
	if err := path.UnmarshalText([]byte(folder)); err != nil || !found || folder == "" || !isBucketName(name) {
		return fmt.Errorf("%q is not of the form NAME=FOLDER; NAME is "+bucketRule, text)
	}
	if s.Buckets == nil {
		s.Buckets = map[string]Bucket{}
	}
	s.Buckets[name] = Bucket{Folder: path}
	return nil
}

// isBucketName says whether requests can name a bucket so: the service model's S3Bucket, without "..".
func isBucketName(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && isWord(rune(name[0])) && name[0] != '_' &&
		!strings.ContainsFunc(name, func(r rune) bool { return !isWord(r) && r != '.' && r != '-' })
}

func (b Bucket) validate(key, name string) error {
	var errs []error
	if name != AnyBucket && !isBucketName(name) {
		errs = append(errs, fmt.Errorf("%s: a bucket's name is "+bucketRule+", or %q for all others", key, AnyBucket))
	}
	switch {
	case (b.Folder == "") == (b.S3 == nil):
		errs = append(errs, fmt.Errorf("%s must have either a folder or s3", key))
	case b.S3 != nil:
		errs = append(errs, b.S3.validate(key+".s3", name))
	case name == AnyBucket:
		errs = append(errs, fmt.Errorf("%s: only s3 can serve all buckets; give each folder a name of its own", key))
	}
	return errors.Join(errs...)
}

func (s *S3) validate(key, name string) error {
	errs := []error{
		checkScheme(key+".endpoint", s.Endpoint, "http", "https"),
		checkCredentials(key, s.AccessKeyID, s.SecretAccessKey, s.SessionToken),
	}
	if name == AnyBucket && s.Bucket != "" {
		errs = append(errs, fmt.Errorf("%s.bucket cannot be set where every bucket is served under its own name", key))
	}
	return errors.Join(errs...)
}

// checkCredentials wants all of them or none.
func checkCredentials(key string, id Text, secret, session Secret) error {
	if (id == "") == secret.IsSet() {
		return fmt.Errorf("%s needs both access-key-id and secret-access-key, or neither to use what AWS's tools would", key)
	}
	if session.IsSet() && id == "" {
		return fmt.Errorf("%s.session-token needs access-key-id and secret-access-key", key)
	}
	return nil
}

// checkScheme lets a URL that is not set pass.
func checkScheme(key string, u URL, schemes ...string) error {
	if u == "" {
		return nil
	}
	if err := checkWord(u.Scheme(), schemes...); err != nil {
		return fmt.Errorf("%s begins with %q, which is %w", key, u.Scheme(), err)
	}
	return nil
}
