package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/testkit/program"
)

// options are what the command line says.
type options struct {
	spotter     string
	lasting     time.Duration
	connections int
	only        string
	json        bool
}

// leastAnswered is the share of a good caller's requests that must be answered.
const leastAnswered = 0.95

func main() {
	var o options
	flag.StringVar(&o.spotter, "spotter", "bin/spotter", "the program to attack")
	flag.DurationVar(&o.lasting, "for", 15*time.Second, "how long each attack goes on")
	flag.IntVar(&o.connections, "connections", 500, "how many strangers there are at once")
	flag.StringVar(&o.only, "only", "", "the one attack to make; empty: all")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1) //nolint:gocritic // nothing is deferred but the signals
	}
}

func run(ctx context.Context, o options) (err error) {
	t, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	var reports []report
	for _, a := range attacks() {
		if o.only != "" && o.only != a.name {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s: %s\n", a.name, a.about)
		r, err := t.under(ctx, a, o)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		reports = append(reports, r)
	}
	if len(reports) == 0 {
		return fmt.Errorf("there is no attack %q", o.only)
	}
	if err := show(o, reports); err != nil {
		return err
	}
	for _, r := range reports {
		if float64(r.Answered) < leastAnswered*float64(r.Asked) {
			return fmt.Errorf("%s: %d of %d good requests were answered", r.Name, r.Answered, r.Asked)
		}
	}
	return nil
}

// report is what one attack did.
type report struct {
	Name string `json:"name"`
	// Sent is how often strangers did what the attack is about.
	Sent int64 `json:"sent"`
	// Asked and Answered are of the good caller, Middle and Slowest how long the answers took.
	Asked    int           `json:"asked"`
	Answered int           `json:"answered"`
	Middle   time.Duration `json:"middle_ns"`
	Slowest  time.Duration `json:"slowest_ns"`
	// Memory is the server's resident memory at the end, Log what it has written meanwhile, in bytes.
	Memory int64 `json:"memory"`
	Log    int64 `json:"log"`
}

func show(o options, reports []report) error {
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(reports)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "attack\tsent\tgood asked\tanswered\tmiddle\tslowest\tmemory\tlog\t")
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%v\t%v\t%d MB\t%.1f kB\t\n", r.Name, r.Sent, r.Asked, r.Answered,
			r.Middle.Round(time.Millisecond), r.Slowest.Round(time.Millisecond), r.Memory/1e6, float64(r.Log)/1e3)
	}
	return w.Flush()
}

// target is a server that is there to be attacked.
type target struct {
	server *program.Process
	folder string
	url    string
	good   *rekognition.Client
	key    aws.Credentials
}

func start(ctx context.Context, o options) (_ *target, err error) {
	t := &target{}
	if t.folder, err = os.MkdirTemp("", "spotter-attack-"); err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.stop())
		}
	}()
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	t.url = "http://" + address
	data := filepath.Join(t.folder, "data")
	t.server, err = program.Program{
		Path: o.spotter, Arguments: []string{"serve", "--listen", address, "--data", data, "--log-format", "json"},
		Ready: func(ctx context.Context) error { _, unready := t.get(ctx, "/readyz"); return unready },
	}.Start(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithBaseEndpoint(t.url),
		config.WithSharedCredentialsFiles([]string{filepath.Join(data, "credentials")}), config.WithSharedConfigFiles(nil),
		config.WithRetryMaxAttempts(1))
	if err != nil {
		return nil, err
	}
	t.good = rekognition.NewFromConfig(cfg)
	t.key, err = cfg.Credentials.Retrieve(ctx)
	return t, err
}

func (t *target) stop() error {
	if t.server != nil {
		t.server.Stop()
	}
	return os.RemoveAll(t.folder)
}

var resident = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)$`)

// get is what the server says at a path that needs no signature.
func (t *target) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers with status %d", path, answer.StatusCode)
	}
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// under makes an attack and asks the server for something good meanwhile.
func (t *target) under(ctx context.Context, a attack, o options) (report, error) {
	log := len(t.server.Log())
	attacking, end := context.WithTimeout(ctx, o.lasting)
	defer end()
	s := &strangers{target: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.crowd(attacking, o.connections, a.stranger)
	}()
	r := report{Name: a.name}
	var took []time.Duration
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for attacking.Err() == nil {
		r.Asked++
		began := time.Now()
		if _, err := t.good.ListCollections(ctx, &rekognition.ListCollectionsInput{}); err == nil {
			r.Answered++
			took = append(took, time.Since(began))
		}
		select {
		case <-tick.C:
		case <-attacking.Done():
		}
	}
	<-done
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if slices.Sort(took); len(took) > 0 {
		r.Middle, r.Slowest = took[len(took)/2], took[len(took)-1]
	}
	r.Sent, r.Log = s.sent.Load(), int64(len(t.server.Log())-log)
	metrics, err := t.get(ctx, "/metrics")
	if err != nil {
		return r, fmt.Errorf("the server is gone: %w", err)
	}
	if m := resident.FindStringSubmatch(metrics); m != nil {
		memory, _ := strconv.ParseFloat(m[1], 64)
		r.Memory = int64(memory)
	}
	return r, nil
}
