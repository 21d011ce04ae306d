package app

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spotter-video/spotter/internal/bucket"
	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/notify"
)

// bucketSources are the buckets of the settings.
func bucketSources(s *config.Server) map[string]bucket.Source {
	sources := map[string]bucket.Source{}
	for name, b := range s.Buckets {
		if b.S3 == nil {
			sources[name] = bucket.Folder{Path: string(b.Folder)}
			continue
		}
		sources[name] = bucket.S3{
			Endpoint: string(b.S3.Endpoint), Region: string(b.S3.Region), PathStyle: bool(b.S3.PathStyle),
			Bucket: string(b.S3.Bucket), CAFile: string(b.S3.CAFile), KeyID: string(b.S3.AccessKeyID),
			Secret:       bucket.Secret(b.S3.SecretAccessKey.Reveal()),
			SessionToken: bucket.Secret(b.S3.SessionToken.Reveal()),
		}
	}
	return sources
}

// topicSinks are the topics of the settings.
func topicSinks(s *config.Server) map[string]notify.Topic {
	topics := map[string]notify.Topic{}
	for arn, sinks := range s.Topics {
		for _, sink := range sinks {
			topics[arn] = append(topics[arn], sinkOf(sink))
		}
	}
	return topics
}

func sinkOf(s config.Sink) notify.Sink {
	switch {
	case s.SNS != nil:
		return notify.SNS{
			Endpoint: string(s.SNS.Endpoint), Region: string(s.SNS.Region), TopicARN: string(s.SNS.TopicARN),
			AccessKey: string(s.SNS.AccessKeyID), SecretKey: notify.Secret(s.SNS.SecretAccessKey.Reveal()),
			SessionToken: notify.Secret(s.SNS.SessionToken.Reveal()),
		}
	case s.Webhook != nil:
		w := notify.Webhook{
			URL: string(s.Webhook.URL), Format: notify.Format(s.Webhook.Format), CA: string(s.Webhook.CAFile),
		}
		for _, secret := range s.Webhook.Secrets {
			w.Secrets = append(w.Secrets, notify.Secret(secret.Reveal()))
		}
		return w
	case s.NATS != nil:
		return notify.NATS{
			URL: joined(s.NATS.URLs), Subject: string(s.NATS.Subject), Stream: bool(s.NATS.Stream),
			Credentials: string(s.NATS.CredentialsFile), CA: string(s.NATS.CAFile),
		}
	case s.Kafka != nil:
		k := notify.Kafka{
			Topic: string(s.Kafka.Topic), TLS: bool(s.Kafka.TLS), CA: string(s.Kafka.CAFile), User: string(s.Kafka.User),
			Password: notify.Secret(s.Kafka.Password.Reveal()), Mechanism: string(s.Kafka.Mechanism),
		}
		for _, broker := range s.Kafka.Brokers {
			k.Brokers = append(k.Brokers, string(broker))
		}
		return k
	default:
		return notify.File{Path: string(s.File.Path)}
	}
}

// joined is a list of addresses with commas, as the NATS client takes it, passwords included.
func joined(urls config.URLs) string {
	list := make([]string, len(urls))
	for i, u := range urls {
		list[i] = string(u)
	}
	return strings.Join(list, ",")
}

// apart says what is wrong where a bucket shows the data folder, or part of it: callers could then ask for the keys' file.
func apart(s *config.Server) error {
	data, err := realPath(string(s.Data))
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	for name, b := range s.Buckets {
		if b.S3 != nil {
			continue
		}
		folder, err := realPath(string(b.Folder))
		if err != nil {
			continue // a folder may come later, with a disk that is not mounted yet
		}
		if within(data, folder) || within(folder, data) {
			return fmt.Errorf("the folder of bucket %s and the data folder %s lie within each other: objects would show the "+
				"server's own files; name another folder with --data", name, s.Data)
		}
	}
	return nil
}

// realPath is where a path leads to, links followed, from the root.
func realPath(path string) (string, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// within says whether a path is a folder's, or lies below it. Both begin at the root.
func within(path, folder string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
