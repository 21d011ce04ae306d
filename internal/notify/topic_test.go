package notify

import (
	"strings"
	"testing"
	"time"
)

func TestTopicGoesToTheMostSpecificEntry(t *testing.T) {
	t.Parallel()
	keys := []string{
		"*", "arn:aws:sns:*:*:AmazonRekognition*", "arn:aws:sns:eu-west-1:*:AmazonRekognition*",
		"arn:aws:sns:eu-west-1:000000000000:AmazonRekognitionA", "arn:aws:sns:eu-west-1:*:[odd]+",
	}
	topics := map[string]Topic{}
	for _, k := range keys {
		topics[k] = Topic{&fake{name: k}}
	}
	n, _ := newTest(t, topics)
	for topic, want := range map[string]string{
		"arn:aws:sns:eu-west-1:000000000000:AmazonRekognitionA": keys[3],
		"arn:aws:sns:eu-west-1:000000000000:AmazonRekognitionB": keys[2],
		"arn:aws:sns:us-east-1:000000000000:AmazonRekognitionA": keys[1],
		"arn:aws:sns:us-east-1:000000000000:Other":              keys[0],
		"arn:aws:sns:eu-west-1:000000000000:[odd]+":             keys[4],
		"arn:aws:sns:eu-west-1:000000000000:d":                  keys[0],
		"arn:aws:sns:us-east-1:000000000000:line\nbreak":        keys[0],
	} {
		lanes := n.routes.lanes(topic)
		if len(lanes) != 1 || lanes[0].name != want || !n.Knows(topic) {
			t.Errorf("%q goes to %v, want %q", topic, lanes, want)
		}
	}
}

func TestKnowsOnlyWhatIsMapped(t *testing.T) {
	t.Parallel()
	n, _ := newTest(t, map[string]Topic{testTopic: {&fake{name: "a"}}, "arn:aws:sns:*:film*": {&fake{name: "a"}}})
	for topic, want := range map[string]bool{
		testTopic: true, testTopic + "x": false, strings.ToLower(testTopic): false, "": false,
		"arn:aws:sns:eu:1:films": true, "xarn:aws:sns:eu:1:films": false, "arn:aws:sns:eu:1:movies": false,
	} {
		if n.Knows(topic) != want {
			t.Errorf("knows %q: %v, want %v", topic, !want, want)
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("arn:aws:sns:*:jobs", "arn:aws:sns:eu:jobs")
	f.Add("*(*", "a(b")
	f.Add("\xff*", "\xff")
	f.Fuzz(func(t *testing.T, key, topic string) {
		rs, err := newRoutes(map[string]Topic{key + "*": {&fake{name: "a"}}}, environment{now: time.Now})
		if err != nil {
			t.Skip() // not a text
		}
		if !strings.Contains(key, "*") && (rs.lanes(topic) != nil) != strings.HasPrefix(topic, key) {
			t.Errorf("%q matches %q: %v", key+"*", topic, rs.lanes(topic) != nil)
		}
	})
}
