package crashtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestKilled kills the server over and over while it works, and wants everything to come out as if nothing had happened.
//
// 10 kills by default; SPOTTER_CRASHTEST_KILLS sets another number, and SPOTTER_CRASHTEST_SEED repeats a run.
func TestKilled(t *testing.T) {
	t.Parallel()
	const killsPerJob = 5
	kills := setting(t, "SPOTTER_CRASHTEST_KILLS", usualKills)
	seed := setting(t, "SPOTTER_CRASHTEST_SEED", time.Now().UnixNano())
	t.Logf("%d kills; to repeat them: SPOTTER_CRASHTEST_SEED=%d SPOTTER_CRASHTEST_KILLS=%d", kills, seed, kills)
	c := &campaign{bed: newBed(t), random: rand.New(rand.NewPCG(uint64(seed), 1)), ledger: newLedger()}
	c.undisturbed(t)
	for left := int(kills); left > 0; left -= killsPerJob {
		c.job(t, min(left, killsPerJob))
	}
	c.end(t)
}

func setting(t *testing.T, name string, usual int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// phase is what a server is doing when it is killed, in the order in which a job goes through them.
type phase int

const (
	starting phase = iota
	calling
	planning
	analysing
	finishing
	telling
	phases
)

func (p phase) String() string {
	return [...]string{"starting", "calling", "planning", "analysing", "finishing", "telling"}[p]
}

// phaseOf is the phase of a job that an entry of the log begins; [starting] for any other.
func phaseOf(e entry) phase {
	switch {
	case e.Message == "job ended":
		return telling
	case e.Message != "task begins":
		return starting
	default:
		return map[string]phase{"plan": planning, "segment": analysing, "finish": finishing}[e.Task]
	}
}

// campaign is a series of kills on one data folder.
type campaign struct {
	bed    *bed
	random *rand.Rand
	ledger *ledger
	took   [phases]time.Duration // how long each phase takes when nobody disturbs it
	want   string                // results of the job that nobody disturbed
	jobs   []string
	server *server // nil while none is running
	killed [phases]int
	stuck  int // decoders that were stuck when the server was killed
}

// undisturbed does one job in peace, and measures it.
func (c *campaign) undisturbed(t *testing.T) {
	t.Helper()
	began := time.Now()
	s := c.bed.start(t, "--unsigned").listening()
	c.took[starting] = time.Since(began)
	s.enrol()
	began = time.Now()
	job := s.mustSearch("undisturbed")
	c.took[calling] = time.Since(began)
	var at [phases]time.Time
	at[planning] = time.Now()
	for p := analysing; p <= telling; p++ {
		if _, ok := s.said(func(e entry) bool { return phaseOf(e) == p }); !ok {
			t.Fatalf("the undisturbed job comes to no %v", p)
		}
		at[p] = time.Now()
		c.took[p-1] = at[p].Sub(at[p-1])
	}
	c.took[telling] = c.took[finishing]
	s.succeeded(job)
	c.want, c.jobs = s.results(job), append(c.jobs, job)
	if found := len(peopleIn(t, c.want)); found < 3 {
		t.Fatalf("the undisturbed job finds %d people: too few to prove anything", found)
	}
	s.stop()
	c.ledger.died(t, s)
	c.bed.noTraces(t)
}

// job has one job done in spite of so many kills.
func (c *campaign) job(t *testing.T, kills int) {
	t.Helper()
	token := fmt.Sprintf("job-%d", len(c.jobs))
	id := ""
	for _, p := range c.moments(kills) {
		c.strike(t, p, token, &id)
	}
	s := c.running(t)
	c.same(t, token, &id)
	s.succeeded(id)
	if got := s.results(id); got != c.want {
		t.Errorf("the results differ after kills:\n%s\nand without:\n%s", got, c.want)
	}
	if slices.Contains(c.jobs, id) {
		t.Errorf("job %s was there before", id)
	}
	c.jobs = append(c.jobs, id)
	if !s.eventually(func() bool { return len(c.bed.notified(t)[id]) > 0 }) {
		t.Errorf("nobody was told of the end of job %s", id)
	}
	if got := s.jobs(); got != len(c.jobs) {
		t.Errorf("there are %d jobs for %d tokens", got, len(c.jobs))
	}
}

// moments are the phases in which a job is struck. Restarts come at any time, everything else in its order.
func (c *campaign) moments(n int) []phase {
	var list []phase
	restarts := 0
	for range n {
		if p := phase(c.random.IntN(int(phases))); p == starting {
			restarts++
		} else {
			list = append(list, p)
		}
	}
	slices.Sort(list)
	for range restarts {
		list = slices.Insert(list, c.random.IntN(len(list)+1), starting)
	}
	return list
}

// strike brings a server to a phase of the job and kills it there, at no moment in particular.
func (c *campaign) strike(t *testing.T, p phase, token string, id *string) {
	t.Helper()
	wait := soon(c.random.Float64(), c.took[p])
	switch p {
	case starting:
		if c.server != nil {
			c.kill(t, p, 0)
		} else {
			c.server = c.bed.start(t, "--unsigned")
			c.kill(t, p, wait)
		}
	case calling:
		answered := c.call(t, token)
		c.kill(t, p, wait)
		c.keep(t, <-answered, id)
	default:
		c.running(t)
		c.same(t, token, id)
		if p == analysing {
			wait = soon(c.random.Float64(), c.took[p]*2/3) // so that there is something left to do
		}
		c.reach(t, p, *id)
		c.kill(t, p, wait)
	}
}

// running is the server that runs, or a new one.
func (c *campaign) running(t *testing.T) *server {
	t.Helper()
	if c.server == nil {
		c.server = c.bed.start(t, "--unsigned").listening()
	}
	return c.server
}

// call sends StartFaceSearch and does not wait for the answer, which is empty if none comes.
func (c *campaign) call(t *testing.T, token string) <-chan string {
	t.Helper()
	s, answer := c.running(t), make(chan string, 1)
	go func() {
		job, err := s.startSearch(token)
		if err != nil {
			job = ""
		}
		answer <- job
	}()
	return answer
}

// same repeats StartFaceSearch, which must be answered, and with the same job each time.
func (c *campaign) same(t *testing.T, token string, id *string) {
	t.Helper()
	c.keep(t, c.server.mustSearch(token), id)
}

func (c *campaign) keep(t *testing.T, answer string, id *string) {
	t.Helper()
	if answer != "" && *id != "" && answer != *id {
		t.Fatalf("one token has started jobs %s and %s", *id, answer)
	}
	if answer != "" {
		*id = answer
	}
}

// reach waits until the server has begun a phase of the job, or is beyond it.
func (c *campaign) reach(t *testing.T, p phase, id string) {
	t.Helper()
	begun := func(e entry) bool { return e.Job == id && phaseOf(e) >= p }
	if status, _ := c.server.status(id); status != "IN_PROGRESS" {
		return // it ended under an earlier server
	}
	if _, ok := c.server.said(begun); !ok {
		t.Fatalf("job %s comes to no %v", id, p)
	}
}

// kill kills the server after a while, and looks at what it leaves. Some decoders are stuck at that moment: those have to
// go, too.
func (c *campaign) kill(t *testing.T, p phase, wait time.Duration) {
	t.Helper()
	time.Sleep(wait)
	if c.random.IntN(2) == 0 {
		c.stuck += c.bed.freeze(t)
	}
	c.server.kill()
	c.killed[p]++
	c.ledger.died(t, c.server)
	c.bed.noTraces(t)
	c.bed.sound(t)
	c.server = nil
}

// end stops the last server and looks at everything once more.
func (c *campaign) end(t *testing.T) {
	t.Helper()
	c.running(t).stop()
	c.ledger.died(t, c.server)
	c.bed.noTraces(t)
	c.bed.sound(t)
	c.told(t)
	c.ledger.check(t)
	const open = `SELECT kind || ' ' || state FROM river_job WHERE state <> 'completed'`
	if left := query(t, c.bed.copied(t), open); len(left) > 0 {
		t.Errorf("tasks are left over: %q", left)
	}
	if most := 1 + c.stuck/10; c.bed.outlived > most {
		t.Errorf("%d of %d stuck decoders have outlived their servers", c.bed.outlived, c.stuck)
	}
	t.Logf("killed while %v, with %d decoders stuck", count(c.killed), c.stuck)
	t.Logf("%d segments were begun %d times in %d processes", c.ledger.segments(), c.ledger.begins(), c.ledger.processes)
}

// told checks that every job's end was told, at least once, and with the same id each time.
func (c *campaign) told(t *testing.T) {
	t.Helper()
	told := c.bed.notified(t)
	repeated := 0
	for _, job := range c.jobs {
		ids := told[job]
		if len(ids) == 0 || len(slices.Compact(slices.Clone(ids))) != 1 {
			t.Errorf("the notices of job %s have the ids %q", job, ids)
		}
		repeated += len(ids) - 1
		delete(told, job)
	}
	if len(told) > 0 {
		t.Errorf("notices tell of jobs that nobody knows: %v", slices.Collect(maps.Keys(told)))
	}
	t.Logf("%d jobs, %d notices repeated", len(c.jobs), repeated)
}

func count(killed [phases]int) map[string]int {
	m := map[string]int{}
	for p, n := range killed {
		m[phase(p).String()] = n
	}
	return m
}
