package notify

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Topic is the sinks of a topic.
type Topic []Sink

// topicARN is the pattern that Rekognition's model gives for SNSTopicArn.
var topicARN = regexp.MustCompile(`^arn:aws:sns:.*:\w{12}:.+$`)

// route leads from topics to lanes.
type route struct {
	key     string
	pattern *regexp.Regexp // nil if the key is one topic
	lanes   []*lane
}

// routes are sorted so that the first that matches is the one meant.
type routes []route

// newRoutes checks everything that can be checked, so that all mistakes of a configuration are told at once.
func newRoutes(topics map[string]Topic, env environment) (routes, error) {
	all := make(routes, 0, len(topics))
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(topics)) {
		r, err := newRoute(key, topics[key], env)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("topic %q: %w", key, err))
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, bySpecificity)
	return all, errors.Join(wrong...)
}

func newRoute(key string, sinks Topic, env environment) (route, error) {
	r := route{key: key}
	switch {
	case strings.Contains(key, "*"):
		p, err := regexp.Compile(`(?s)^` + strings.ReplaceAll(regexp.QuoteMeta(key), `\*`, `.*`) + `$`)
		if err != nil {
			return r, fmt.Errorf("read the pattern: %w", err)
		}
		r.pattern = p
	case !topicARN.MatchString(key):
		return r, errors.New("no request can name it: write a topic's ARN, such as " +
			"arn:aws:sns:us-east-1:000000000000:jobs, or a pattern of ARNs with *")
	}
	if len(sinks) == 0 {
		return r, errors.New("it has no sinks: name at least one")
	}
	var err error
	r.lanes, err = newLanes(sinks, env)
	return r, err
}

func newLanes(sinks Topic, env environment) ([]*lane, error) {
	lanes := make([]*lane, 0, len(sinks))
	var wrong []error
	seen := map[string]bool{}
	for i, s := range sinks {
		l, err := newLane(s, env)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("sink %d: %w", i+1, err))
			continue
		case seen[l.name]:
			wrong = append(wrong, fmt.Errorf("sink %d: another one is called %q too: give them different names", i+1, l.name))
		}
		seen[l.name] = true
		lanes = append(lanes, l)
	}
	return lanes, errors.Join(wrong...)
}

// bySpecificity puts topics before patterns, and patterns with more text before those with less.
func bySpecificity(a, b route) int {
	if (a.pattern == nil) != (b.pattern == nil) {
		if a.pattern == nil {
			return -1
		}
		return 1
	}
	return cmp.Compare(literal(b.key), literal(a.key))
}

func literal(key string) int { return len(key) - strings.Count(key, "*") }

// lanes are those of a topic; nil if it is not mapped.
func (rs routes) lanes(topic string) []*lane {
	for _, r := range rs {
		if r.key == topic || r.pattern != nil && r.pattern.MatchString(topic) {
			return r.lanes
		}
	}
	return nil
}

// each calls do with every lane.
func (rs routes) each(do func(*lane)) {
	for _, r := range rs {
		for _, l := range r.lanes {
			do(l)
		}
	}
}
