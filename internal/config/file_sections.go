package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func (f *file) buckets(n *yaml.Node) map[string]Bucket {
	all := map[string]Bucket{}
	f.each(n, "buckets", func(name string, _, value *yaml.Node) { all[name] = f.bucket("buckets."+clip(name), value) })
	return all
}

func (f *file) bucket(what string, n *yaml.Node) Bucket {
	var b Bucket
	f.structure(n, what, []Setting{{Key: "folder", Value: &b.Folder}}, map[string]func(*yaml.Node){
		"s3": func(n *yaml.Node) {
			b.S3 = &S3{}
			f.structure(n, what+".s3", b.S3.settings(), nil)
		},
	})
	return b
}

func (f *file) roles(n *yaml.Node) map[string]Role {
	all := map[string]Role{}
	f.each(n, "roles", func(name string, _, value *yaml.Node) {
		var r Role
		what := "roles." + clip(name)
		f.structure(value, what, r.settings(), map[string]func(*yaml.Node){
			"web-identity": func(n *yaml.Node) {
				r.WebIdentity = &WebIdentity{}
				f.structure(n, what+".web-identity", r.WebIdentity.settings(), nil)
			},
		})
		all[name] = r
	})
	return all
}

func (f *file) topics(n *yaml.Node) map[string][]Sink {
	all := map[string][]Sink{}
	f.each(n, "topics", func(arn string, _, value *yaml.Node) {
		what := "topics." + clip(arn)
		if value.Kind != yaml.SequenceNode {
			f.fail(value, "%s must be a list of %s", what, strings.Join(sinkKeys(), ", "))
			return
		}
		sinks := []Sink{}
		for _, item := range value.Content {
			sinks = append(sinks, f.sink(what, item))
		}
		all[arn] = sinks
	})
	return all
}

// sink reads one entry of a topic's list, which has one key.
func (f *file) sink(what string, n *yaml.Node) Sink {
	var s Sink
	sections := map[string]func(*yaml.Node){}
	for _, key := range sinkKeys() {
		sections[key] = func(value *yaml.Node) {
			if _, already := s.part(); already != nil {
				f.fail(value, "%s: begin each sink with a dash of its own", what)
				return
			}
			part := s.make(key)
			f.structure(value, what+"."+key, part.settings(), nil)
		}
	}
	f.structure(n, what, nil, sections)
	return s
}

// make sets the member that has a key.
func (s *Sink) make(key string) sinkPart {
	switch key {
	case "sns":
		s.SNS = &SNS{}
	case "webhook":
		s.Webhook = &Webhook{Format: StandardWebhook}
	case "nats":
		s.NATS = &NATS{}
	case "kafka":
		s.Kafka = &Kafka{}
	default:
		s.File = &File{}
	}
	_, part := s.part()
	return part
}

// maxShown is how much of a word of the file is repeated in a message.
const maxShown = 64 // bytes

func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// nearest is the one of the known words that may have been meant; empty if none is near.
func nearest(word string, known []string) string {
	if len(word) > maxShown {
		return ""
	}
	word = strings.ReplaceAll(strings.ToLower(word), "_", "-")
	slices.Sort(known) // so that of two as near the answer is always the same
	best, least := "", max(2, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed to make one word of another (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
