package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spotter-video/spotter/internal/service"
)

var errAway = errors.New("nobody is there")

func TestNoticeGoesToEverySinkOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := &fake{name: "a"}, &fake{name: "b"}
		n, _ := newTest(t, map[string]Topic{testTopic: {a, b}})
		box := newOutbox(notice(1, testTopic), notice(2, testTopic))
		n.Start(t.Context(), box)
		synctest.Wait()
		if box.size() != 0 {
			t.Errorf("%d notices are left", box.size())
		}
		time.Sleep(time.Hour)
		stop(t, n)
		if len(a.ids()) != 2 || len(b.ids()) != 2 {
			t.Errorf("a has seen %v, b %v; want each notice once", a.ids(), b.ids())
		}
		if got, want := n.Stats(), (Stats{Delivered: 2}); got != want {
			t.Errorf("stats are %+v, want %+v", got, want)
		}
		if a.closed != 1 || b.closed != 1 {
			t.Errorf("closed %d and %d times, want once", a.closed, b.closed)
		}
	})
}

func TestFailureIsRepeatedWithGrowingPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := &fake{name: "a", take: func(context.Context, *message) error { return errAway }}
		n, log := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox(notice(1, testTopic))
		start := time.Now()
		n.Start(t.Context(), box)
		time.Sleep(4 * 24 * time.Hour)
		stop(t, n)

		times := sink.times()
		want := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}
		for i, d := range want {
			if got := times[i+1].Sub(times[i]); got != d {
				t.Errorf("pause %d is %v, want %v", i+1, got, d)
			}
		}
		for i := 15; i < len(times); i++ {
			if got := times[i].Sub(times[i-1]); got != 30*time.Minute {
				t.Errorf("pause %d is %v, want half an hour: half the longest", i, got)
			}
		}
		if last := times[len(times)-1].Sub(start); last < 72*time.Hour || last > 73*time.Hour {
			t.Errorf("the last attempt was after %v, want three days", last)
		}
		if box.size() != 0 || n.Stats().Dropped != 1 || n.Stats().Delivered != 0 {
			t.Errorf("%d notices are left, stats are %+v; want the notice dropped", box.size(), n.Stats())
		}
		if !strings.Contains(log.String(), "level=ERROR msg=\"a notice is dropped") {
			t.Error("the drop is not in the log as an error")
		}
	})
}

func TestSinksAreIndependent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		up := &fake{name: "up"}
		down := &fake{name: "down", take: func(context.Context, *message) error {
			if back.Load() {
				return nil
			}
			return errAway
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {up, down}})
		box := newOutbox(notice(1, testTopic))
		n.Start(t.Context(), box)
		time.Sleep(time.Minute)
		got, _ := box.get(1)
		if !slices.Equal(got.Sinks, []string{"up"}) || got.Attempts < 5 {
			t.Errorf("the outbox says %v after %d attempts, want up alone after several", got.Sinks, got.Attempts)
		}
		back.Store(true)
		time.Sleep(time.Hour)
		stop(t, n)
		if len(up.ids()) != 1 || box.size() != 0 {
			t.Errorf("up has seen it %d times, %d are left; want once and none", len(up.ids()), box.size())
		}
	})
}

func TestSlowSinkHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 2000 // more than may wait for one sink
		var at atomic.Int64
		slow := &fake{name: "slow", take: func(ctx context.Context, _ *message) error {
			defer at.Add(-1)
			if at.Add(1) > laneWidth {
				t.Error("more are sent at a time than may be")
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		quick := &fake{name: "quick"}
		other := strings.Replace(testTopic, "Jobs", "Other", 1)
		n, _ := newTest(t, map[string]Topic{testTopic: {slow}, other: {quick}})
		box := newOutbox()
		for i := range many {
			box.add(notice(service.Serial(i+1), testTopic))
		}
		box.add(notice(many+1, other))
		n.Start(t.Context(), box)
		synctest.Wait()
		if len(quick.ids()) != 1 {
			t.Error("the other topic's notice waits behind the slow sink's")
		}
		time.Sleep(10 * time.Second)
		box.add(notice(many+2, other))
		n.Wake()
		synctest.Wait()
		if len(quick.ids()) != 2 {
			t.Error("a later notice of the other topic waits behind the slow sink's")
		}
		busy := 0
		for _, left := range box.all() {
			busy += min(left.Attempts, 1)
		}
		if want := many - laneWidth - laneQueue; busy < want {
			t.Errorf("%d were put off, want all %d that are more than may wait", busy, want)
		}
		if got := n.Stats().Waiting; got < pageSize {
			t.Errorf("%d are said to be waiting, want a page at least", got)
		}
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Stop(stopped); !errors.Is(err, context.Canceled) {
			t.Errorf("stop says %v, want that deliveries were broken off", err)
		}
		if box.size() != many {
			t.Errorf("%d notices are left, want all %d", box.size(), many)
		}
	})
}

func TestManyNoticesAreDeliveredWithFewLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 2000
		sink := &fake{name: "a", take: func(context.Context, *message) error {
			time.Sleep(5 * time.Millisecond)
			return nil
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox()
		for i := range many {
			box.add(notice(service.Serial(i+1), testTopic))
		}
		n.Start(t.Context(), box)
		time.Sleep(10 * time.Minute)
		stop(t, n)
		if box.size() != 0 || len(sink.ids()) != many {
			t.Errorf("%d are left, %d were sent; want %d sent once each", box.size(), len(sink.ids()), many)
		}
		t.Logf("%d looks into the outbox", box.reads)
	})
}

func TestSinkThatAsksForAPauseIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tired := &fake{name: "tired"}
		tired.take = func(context.Context, *message) error {
			if len(tired.ids()) == 1 {
				return &failure{err: errors.New("too much"), pause: 10 * time.Minute}
			}
			return nil
		}
		awake := &fake{name: "awake", take: func(context.Context, *message) error { return errAway }}
		n, _ := newTest(t, map[string]Topic{testTopic: {tired, awake}})
		box := newOutbox(notice(1, testTopic))
		start := time.Now()
		n.Start(t.Context(), box)
		time.Sleep(time.Second)
		box.add(notice(2, testTopic)) // another one is no reason to disturb it
		n.Wake()
		time.Sleep(time.Hour)
		stop(t, n)
		times := tired.times()
		if len(times) != 3 || times[1].Sub(start) < 10*time.Minute {
			t.Errorf("it was called %d times, again after %v; want three and ten minutes", len(times), times[1].Sub(start))
		}
		if len(awake.ids()) < 10 {
			t.Errorf("the other sink was tried %d times only", len(awake.ids()))
		}
	})
}

func TestSparingASinkIsNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tired := &fake{name: "tired"}
		tired.take = func(context.Context, *message) error {
			if len(tired.ids()) == 1 {
				return &failure{err: errors.New("too much"), pause: 10 * time.Minute}
			}
			return nil
		}
		n, _ := newTest(t, map[string]Topic{testTopic: {tired}})
		box := newOutbox(notice(1, testTopic))
		end := time.Now().Add(10 * time.Minute)
		n.Start(t.Context(), box)
		time.Sleep(time.Second)
		box.add(notice(2, testTopic))
		n.Wake()
		synctest.Wait()
		if got, _ := box.get(2); got.Attempts != 0 || !got.Due.Equal(end) || n.Stats().Failed != 1 {
			t.Errorf("it has %d attempts and is due at %v, stats are %+v; want none, %v and one failure",
				got.Attempts, got.Due, n.Stats(), end)
		}
		time.Sleep(time.Hour)
		stop(t, n)
		if box.size() != 0 {
			t.Errorf("%d are left", box.size())
		}
	})
}

func TestRefusalIsRepeatedMoreSlowly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := &fake{name: "a", take: func(context.Context, *message) error {
			return &failure{err: errors.New("gone"), refused: true}
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		n.Start(t.Context(), newOutbox(notice(1, testTopic)))
		time.Sleep(10 * time.Minute)
		stop(t, n)
		if got := len(sink.ids()); got < 5 || got > 11 {
			t.Errorf("it was tried %d times in ten minutes, want about one a minute", got)
		}
	})
}

func TestUnmappedTopicWaitsForTheConfiguration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox(notice(1, testTopic))
		n, log := newTest(t, nil)
		if n.Knows(testTopic) {
			t.Error("an unmapped topic is known")
		}
		n.Start(t.Context(), box)
		time.Sleep(time.Hour)
		stop(t, n)
		if got, ok := box.get(1); !ok || got.Attempts == 0 {
			t.Errorf("the notice is there: %v, after %d attempts; want it kept", ok, got.Attempts)
		}
		if !strings.Contains(log.String(), "the topic has no sinks") {
			t.Error("the log does not say why")
		}
		sink := &fake{name: "a"}
		n, _ = newTest(t, map[string]Topic{testTopic: {sink}})
		n.Start(t.Context(), box)
		time.Sleep(time.Hour)
		stop(t, n)
		if len(sink.ids()) != 1 || box.size() != 0 {
			t.Errorf("sent %d times, %d left; want it delivered by the mended configuration", len(sink.ids()), box.size())
		}
	})
}

func TestNoticeThatCannotBeWrittenIsDroppedAtLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		odd := notice(1, testTopic)
		odd.Operation = "singing"
		sink := &fake{name: "a"}
		n, log := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox(odd)
		n.Start(t.Context(), box)
		time.Sleep(4 * 24 * time.Hour)
		stop(t, n)
		if len(sink.ids()) != 0 || box.size() != 0 || !strings.Contains(log.String(), "singing") {
			t.Errorf("sent %d times, %d left; want it dropped with a reason", len(sink.ids()), box.size())
		}
	})
}

func TestKillBetweenDeliveryAndRecordRepeatsTheSameID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := &fake{name: "a"}
		box := newOutbox(notice(1, testTopic))
		box.refuse = func(call string) error {
			if call == "write" {
				return errors.New("killed")
			}
			return nil
		}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		n.Start(t.Context(), box)
		time.Sleep(time.Hour)
		if got := len(sink.ids()); got != 1 {
			t.Errorf("an outbox that cannot be written made the sink see it %d times, want once", got)
		}
		stop(t, n)
		box.refuse = nil
		n, _ = newTest(t, map[string]Topic{testTopic: {sink}})
		n.Start(t.Context(), box)
		synctest.Wait()
		stop(t, n)
		if ids := sink.ids(); len(ids) != 2 || ids[0] != ids[1] || box.size() != 0 {
			t.Errorf("the sink has seen %v, %d are left; want one id twice and none", ids, box.size())
		}
	})
}

func TestOutboxThatIsAwayIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Int64
		fails.Store(5)
		box := newOutbox(notice(1, testTopic))
		box.refuse = func(string) error {
			if fails.Add(-1) >= 0 {
				return errAway
			}
			return nil
		}
		sink := &fake{name: "a"}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		n.Start(t.Context(), box)
		time.Sleep(time.Minute)
		stop(t, n)
		if len(sink.ids()) != 1 || box.size() != 0 {
			t.Errorf("sent %d times, %d left; want it delivered", len(sink.ids()), box.size())
		}
	})
}

func TestQuickSinkIsKeptBeforeASlowOneIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &fake{name: "slow", take: func(ctx context.Context, _ *message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {&fake{name: "quick"}, slow}})
		box := newOutbox(notice(1, testTopic))
		n.Start(t.Context(), box)
		synctest.Wait()
		if got, _ := box.get(1); !slices.Equal(got.Sinks, []string{"quick"}) {
			t.Errorf("the outbox says %v while the slow sink is waited for, want quick", got.Sinks)
		}
		stop(t, n)
	})
}

func TestStopLetsDeliveriesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := &fake{name: "a", take: func(context.Context, *message) error {
			time.Sleep(5 * time.Second)
			return nil
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox()
		for i := range 100 {
			box.add(notice(service.Serial(i+1), testTopic))
		}
		n.Start(t.Context(), box)
		synctest.Wait()
		stop(t, n)
		stop(t, n)
		n.Wake()
		n.Start(t.Context(), box)
		time.Sleep(time.Hour)
		if got := len(sink.ids()); got != laneWidth || box.size() != 100-laneWidth {
			t.Errorf("%d were sent, %d left; want those under way to end and no more", got, box.size())
		}
		for _, left := range box.all() {
			if left.Attempts != 0 {
				t.Errorf("notice %d has %d attempts, want those that a stop prevented not to count", left.Serial, left.Attempts)
			}
		}
	})
}

func TestWhatWasTakenAtTheLastMomentIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := &fake{name: "late", take: func(ctx context.Context, _ *message) error {
			<-ctx.Done()
			return nil
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {late}})
		box := newOutbox(notice(1, testTopic))
		n.Start(t.Context(), box)
		synctest.Wait()
		now, cancel := context.WithCancel(t.Context())
		cancel()
		if err := n.Stop(now); !errors.Is(err, context.Canceled) {
			t.Errorf("stop says %v, want that it was cut short", err)
		}
		if box.size() != 0 || n.Stats().Delivered != 1 {
			t.Errorf("%d are left, want the one that was taken removed", box.size())
		}
	})
}

func TestEndOfTheContextStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sink := &fake{name: "a", take: func(ctx context.Context, _ *message) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox(notice(1, testTopic))
		n.Start(ctx, box)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got, ok := box.get(1); !ok || got.Attempts != 0 {
			t.Errorf("the notice is there: %v, with %d attempts; want it as it was", ok, got.Attempts)
		}
		stop(t, n)
	})
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	sink := &fake{name: "a"}
	n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
	stop(t, n)
	stop(t, n)
	if sink.closed != 1 {
		t.Errorf("the sink was closed %d times, want once", sink.closed)
	}
}

func TestOldNoticesGetAChanceAfterAStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int64
		sink := &fake{name: "a", take: func(context.Context, *message) error {
			if tries.Add(1) < 4 { // the receiver starts together with us
				return errAway
			}
			return nil
		}}
		old := notice(1, testTopic)
		old.Ended = old.Ended.Add(-30 * 24 * time.Hour)
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		box := newOutbox(old)
		n.Start(t.Context(), box)
		time.Sleep(time.Hour)
		stop(t, n)
		if got := n.Stats(); got.Delivered != 1 || got.Dropped != 0 {
			t.Errorf("stats are %+v, want it delivered", got)
		}
	})
}

func TestPauseBetweenNoticesIsFoundInTheOutbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := &fake{name: "a"}
		n, _ := newTest(t, map[string]Topic{testTopic: {sink}})
		later := notice(1, testTopic)
		later.Due = later.Due.Add(7 * time.Second)
		n.Start(t.Context(), newOutbox(later))
		time.Sleep(8 * time.Second)
		if got := sink.times(); len(got) != 1 || !got[0].Equal(later.Due) {
			t.Errorf("sent at %v, want at %v", got, later.Due)
		}
		stop(t, n)
	})
}

func TestNewSaysEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	good := Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	for name, tc := range map[string]struct {
		cfg  Config
		want string
	}{
		"no clock":        {Config{Now: nil}, "no clock"},
		"retry":           {Config{Now: time.Now, Retry: Retry{First: time.Hour, Most: time.Second, GiveUpAfter: 1}}, "longer than"},
		"retry, zero":     {Config{Now: time.Now, Retry: Retry{Most: time.Second, GiveUpAfter: 1}}, "a millisecond"},
		"no ARN":          {topicConfig("jobs", File{Path: "x"}), "no request can name it"},
		"no sinks":        {topicConfig(testTopic), "no sinks"},
		"nil sink":        {topicConfig(testTopic, nil), "nil"},
		"twice":           {topicConfig(testTopic, File{Path: "x"}, File{Path: "x"}), "different names"},
		"file":            {topicConfig(testTopic, File{}), "path"},
		"no URL":          {topicConfig(testTopic, Webhook{Secrets: []Secret{good}}), "url: it is empty"},
		"scheme":          {topicConfig(testTopic, Webhook{URL: "ftp://x", Secrets: []Secret{good}}), "http://, https://"},
		"no host":         {topicConfig(testTopic, Webhook{URL: "http:///x", Secrets: []Secret{good}}), "no host"},
		"fragment":        {topicConfig(testTopic, Webhook{URL: "http://x/#y", Secrets: []Secret{good}}), "fragment"},
		"no secret":       {topicConfig(testTopic, Webhook{URL: "http://x"}), "openssl rand"},
		"plain secret":    {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{"sesame"}}), "whsec_"},
		"short secret":    {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{"whsec_c2VzYW1l"}}), "24 to 64"},
		"garbled secret":  {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{"whsec_sesame!"}}), "not base64"},
		"format":          {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{good}, Format: "xml"}), `"xml"`},
		"CA":              {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{good}, CA: "doc.go"}), "no certificate"},
		"CA away":         {topicConfig(testTopic, Webhook{URL: "http://x", Secrets: []Secret{good}, CA: "none"}), "no such file"},
		"SNS endpoint":    {topicConfig(testTopic, SNS{Endpoint: "http://sesame@x"}), "access keys"},
		"SNS topic":       {topicConfig(testTopic, SNS{TopicARN: "jobs"}), "topic-arn"},
		"SNS keys":        {topicConfig(testTopic, SNS{AccessKey: "x"}), "secret-key"},
		"NATS URL":        {topicConfig(testTopic, NATS{URL: "http://x", Subject: "a"}), "nats://"},
		"NATS 2nd URL":    {topicConfig(testTopic, NATS{URL: "nats://x,", Subject: "a"}), "empty"},
		"NATS subject":    {topicConfig(testTopic, NATS{URL: "nats://x", Subject: "a.*"}), "wildcards"},
		"NATS no subject": {topicConfig(testTopic, NATS{URL: "nats://x"}), "empty"},
		"NATS dots":       {topicConfig(testTopic, NATS{URL: "nats://x", Subject: "a..b"}), "empty part"},
		"NATS user":       {topicConfig(testTopic, NATS{URL: "nats://x", Subject: "a", Credentials: "none"}), "credentials"},
		"no brokers":      {topicConfig(testTopic, Kafka{Topic: "jobs"}), "brokers"},
		"broker URL":      {topicConfig(testTopic, Kafka{Brokers: []string{"tcp://sesame@x"}, Topic: "jobs"}), "without scheme"},
		"broker port":     {topicConfig(testTopic, Kafka{Brokers: []string{"x:y"}, Topic: "jobs"}), "brokers"},
		"Kafka topic":     {topicConfig(testTopic, Kafka{Brokers: []string{"x"}, Topic: "a b"}), "249"},
		"Kafka password":  {topicConfig(testTopic, Kafka{Brokers: []string{"x"}, Topic: "a", User: "u"}), "password"},
		"Kafka mechanism": {
			topicConfig(testTopic, Kafka{Brokers: []string{"x"}, Topic: "a", User: "u", Password: "sesame", Mechanism: "MD5"}),
			"SCRAM",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tc.cfg)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the error is %v, want one with %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func topicConfig(key string, sinks ...Sink) Config {
	return Config{Now: time.Now, Topics: map[string]Topic{key: sinks}}
}

func TestNewTellsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Now: time.Now, Topics: map[string]Topic{
		testTopic: {File{}, Webhook{}}, "nonsense": {File{Path: "x"}},
	}})
	for _, want := range []string{"sink 1", "sink 2", "nonsense"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q in it", err, want)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	w := Webhook{Secrets: []Secret{"whsec_sesame"}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if got := fmt.Sprintf(format, w); strings.Contains(got, "sesame") {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// TestOthersNoticesAreLeftAlone wants nothing to be sent that another process has claimed, and what was claimed to be released at the end.
func TestOthersNoticesAreLeftAlone(t *testing.T) {
	t.Parallel()
	box := newOutbox(notice(1, testTopic), notice(2, testTopic))
	box.others = map[service.Serial]bool{1: true}
	sink := &fake{name: "sink"}
	n, err := New(Config{Now: time.Now, Topics: map[string]Topic{testTopic: {sink}}})
	if err != nil {
		t.Fatal(err)
	}
	n.Start(t.Context(), box)
	eventually(t, "the delivery of one", func() bool { return n.Stats().Delivered == 1 })
	stop(t, n)
	if sent := sink.ids(); len(sent) != 1 || sent[0] != notice(2, testTopic).ID || box.released != 1 {
		t.Errorf("sent are %v; released %d times", sent, box.released)
	}
}
