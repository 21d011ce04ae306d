package main

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"pgregory.net/rapid"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := slices.Sorted(slices.Values(rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 200).Draw(t, "list")))
		p := rapid.IntRange(0, 100).Draw(t, "p")
		took := make([]time.Duration, len(list))
		for i, v := range list {
			took[i] = time.Duration(v)
		}
		got := percentile(took, p)
		below, within := 0, 0
		for _, v := range took {
			if v < got {
				below++
			}
			if v <= got {
				within++
			}
		}
		if within*100 < p*len(took) || p > 0 && below*100 >= p*len(took) {
			t.Fatalf("%d%% of %v is not %v", p, took, got)
		}
	})
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("%v of nothing", got)
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	if got := slope([]float64{1, 2, 4}, []float64{5, 7, 11}); math.Abs(got-2) > 1e-9 {
		t.Errorf("the line grows by %v, want 2", got)
	}
	if got := slope([]float64{3}, []float64{5}); got != 0 {
		t.Errorf("a point grows by %v", got)
	}
}

func TestErrorsAreCountedByName(t *testing.T) {
	t.Parallel()
	r := newRecord()
	for _, err := range []error{nil, &smithy.GenericAPIError{Code: limitExceeded}, errors.New("gone"), nil} {
		_ = r.time("GetFaceSearch", func() error { return err })
	}
	timings := r.timings(2 * time.Second)
	if len(timings) != 1 || timings[0].Requests != 4 || timings[0].PerSecond != 2 {
		t.Errorf("timings are %+v", timings)
	}
	if len(r.errors) != 2 || r.errors["GetFaceSearch: gone"] != 1 || r.errors["GetFaceSearch: "+limitExceeded] != 1 {
		t.Errorf("errors are %v", r.errors)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	m := newMemory(nil)
	if m.Growth != 0 {
		t.Errorf("nothing grows by %v", m.Growth)
	}
	var samples []sample
	for i := range 8 {
		samples = append(samples, sample{At: time.Duration(i) * time.Minute, Server: int64(1000 + 10*max(i, 4))})
	}
	if m = newMemory(samples); math.Abs(m.Growth-10) > 1e-9 || m.First != 1045 || m.Last != 1065 {
		t.Errorf("memory went %+v, want 10 a minute from 1045 to 1065", m)
	}
}

func TestProcessorTime(t *testing.T) {
	t.Parallel()
	stat := "1 (a ) b) S 1 2 3 4 5 6 7 8 9 10 100 20 3 0 20 0 1 0 5 6"
	if got, want := parseProcessorTime(stat), 1230*time.Millisecond; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got := parseProcessorTime("1 (x) S 1"); got != 0 {
		t.Errorf("%v of a short line", got)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	got := parseMetrics("# HELP a b\na 2\nb{x=\"1 }\",y=\"2\"} 3\nb{x=\"2\"} 4.5\n\nbroken\nc NaN x\n")
	want := map[string]float64{"a": 2, `b{x="1 }",y="2"}`: 3, `b{x="2"}`: 4.5, "b": 7.5}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"--clients 0", "--clients 10001", "--for 1ms", "--pause -1s", "--sizes 5", "--sizes 2000,1000", "--sizes x",
		"--parts jobs,nothing", "--sightings 10", "more",
	} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s is taken", args)
		}
	}
	o, err := parse(strings.Fields("--parts idle --for 5s --sizes 100,200"))
	if err != nil || o.clients != 200 || !slices.Equal(o.sizes, []int{100, 200}) || !slices.Equal(o.parts, []string{"idle"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestReportNamesFailures(t *testing.T) {
	t.Parallel()
	r := report{Jobs: []jobsReport{{
		Name: "crowd", Failed: 1, Errors: map[string]int{"GetFaceSearch: InternalServerError": 2}, Throttled: 7,
		Operations: []timing{{Operation: "GetFaceSearch", Requests: 3, P50: 1500 * time.Microsecond}},
	}}}
	if got := r.failures(); got != 3 {
		t.Errorf("%d failures, want 3", got)
	}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"InternalServerError", "crowd, GetFaceSearch", "1.5ms"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
