package awsapi

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/awsapi/internal/model"
)

// clock is a time that only moves when it is told to.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func TestRates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limits Limits
		try    func(*throttle, string) bool
		// first is how many of ten calls at once pass for a key, second for another key after it, later for the first key
		// after half a second.
		first, second, later int
	}{
		"none":          {Limits{}, (*throttle).call, 10, 10, 10},
		"per key":       {Limits{PerKey: 4}, (*throttle).call, 4, 4, 2},
		"overall":       {Limits{Overall: 6}, (*throttle).call, 6, 0, 3},
		"both":          {Limits{PerKey: 4, Overall: 6}, (*throttle).call, 4, 2, 2},
		"below one":     {Limits{PerKey: 0.5}, (*throttle).call, 1, 1, 0},
		"per operation": {Limits{PerOperation: map[string]float64{"X": 2}}, ofX, 2, 2, 1},
		"of another":    {Limits{PerOperation: map[string]float64{"Y": 2}}, ofX, 10, 10, 10},
		"negative":      {Limits{PerKey: -1, Overall: -1, InFlight: -1}, (*throttle).call, 10, 10, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := &clock{time.Unix(1_000_000, 0)}
			th := newThrottle(c.limits, now.read)
			got := [3]int{passes(th, c.try, "a"), passes(th, c.try, "b")}
			now.now = now.now.Add(500 * time.Millisecond)
			got[2] = passes(th, c.try, "a")
			if want := [3]int{c.first, c.second, c.later}; got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func ofX(t *throttle, key string) bool { return t.operation(key, "X") }

func passes(t *throttle, try func(*throttle, string) bool, key string) int {
	n := 0
	for range 10 {
		if try(t, key) {
			n++
		}
	}
	return n
}

func TestThrottlesAsAnSDKSeesThem(t *testing.T) {
	t.Parallel()
	now := time.Now()
	frozen := func(l Limits) func(*Config) {
		return func(c *Config) { c.Limits, c.Now = l, func() time.Time { return now } }
	}
	b := newBench(t, frozen(Limits{PerOperation: map[string]float64{"DescribeCollection": 1}}))
	if _, err := describeWith(t, b.client()); err != nil {
		t.Fatal(err)
	}
	_, err := describeWith(t, b.client())
	expectCode(t, err, "ProvisionedThroughputExceededException", "Provisioned rate exceeded.")
	if _, err = b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{}); err != nil {
		t.Errorf("another operation: %v", err)
	}

	b = newBench(t, frozen(Limits{PerKey: 1}))
	if _, err = describeWith(t, b.client(credentials(keyID, "wrong", ""))); err == nil {
		t.Fatal("accepted")
	}
	if _, err = describeWith(t, b.client()); err != nil {
		t.Errorf("somebody without the secret used up the rate of the key: %v", err)
	}
	_, err = describeWith(t, b.client())
	expectCode(t, err, "ThrottlingException", "Slow down; sudden increase in rate of requests.")
}

func TestPlacesInFlight(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	b := newBench(t, func(c *Config) { c.Limits.InFlight = 1 }, describeOp(nil), define("ListCollections", nil,
		func(context.Context, Service, call, *model.ListCollectionsRequest) (*model.ListCollectionsResponse, error) {
			close(entered)
			<-release
			panic("a place is given back all the same")
		}))
	var wait sync.WaitGroup
	wait.Go(func() {
		_, err := b.client().ListCollections(t.Context(), &rekognition.ListCollectionsInput{})
		expectCode(t, err, "InternalServerError", "")
	})
	<-entered
	_, err := describeWith(t, b.client())
	expectCode(t, err, "ThrottlingException", "Slow down; sudden increase in rate of requests.")
	close(release)
	wait.Wait()
	if _, err := describeWith(t, b.client()); err != nil {
		t.Error(err)
	}
}

// TestDoorsShareRates has a door hear of another one, and of its end.
func TestDoorsShareRates(t *testing.T) {
	t.Parallel()
	now, doors := &clock{time.Unix(1_000_000, 0)}, 1
	for name, try := range map[string]func(*throttle, string) bool{"per key": (*throttle).call, "per operation": ofX} {
		th := newThrottle(Limits{
			PerKey: 8, PerOperation: map[string]float64{"X": 8}, Doors: func() int { return doors },
		}, now.read)
		for _, step := range []struct{ doors, want int }{{1, 8}, {2, 4}, {0, 8}, {4, 2}} {
			doors = step.doors
			now.now = now.now.Add(time.Minute)
			passes(th, try, "a") // what was left from before the change
			now.now = now.now.Add(time.Minute)
			if got := passes(th, try, "a"); got != step.want {
				t.Errorf("%s, %d doors: %d of 8 pass", name, step.doors, got)
			}
		}
	}
}
