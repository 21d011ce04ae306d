package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
	"github.com/spotter-video/spotter/internal/testkit/program"
	"github.com/spotter-video/spotter/internal/testkit/s3server"
)

const (
	bucketName = "archive"
	topic      = "arn:aws:sns:us-east-1:000000000000:done"
	people     = "people"
	hookSecret = "whsec_bm90aGluZyB0aGF0IGFueWJvZHkgZWxzZSBrbm93cw==" //nolint:gosec // G101: of a test
)

// world is everything that there is.
type world struct {
	options

	folder string
	began  time.Time
	photos map[string][]byte // by the person's name
	films  []string
	s3     *s3server.Server
	flaky  *flaky
	hook   *hook

	mu        sync.Mutex
	primary   *pgserver.Server // guarded by mu, as are the following
	standby   *pgserver.Server
	doors     [2]*tcp // to the servers of the database; one of them to the primary
	processes []*process
	clients   []*rekognition.Client

	// patience is how long a client waits for one answer.
	patience time.Duration
}

func newWorld(ctx context.Context, o options) (_ *world, err error) {
	w := &world{options: o, began: time.Now(), photos: map[string][]byte{}, patience: 20 * time.Second}
	if w.folder, err = os.MkdirTemp("", "spotter-chaos-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close(false))
		}
	}()
	if w.primary, err = pgserver.Launch(ctx); err != nil {
		return nil, err
	}
	if w.standby, err = w.primary.Standby(ctx); err != nil {
		return nil, err
	}
	for i, socket := range []string{w.primary.Socket(), w.standby.Socket()} {
		if w.doors[i], err = newTCP(ctx, socket); err != nil {
			return nil, err
		}
	}
	if err = w.primary.Create(ctx, "spotter"); err != nil {
		return nil, err
	}
	if w.s3, err = s3server.Launch(ctx, filepath.Join(w.folder, "s3")); err != nil {
		return nil, err
	}
	if w.flaky, err = newFlaky(ctx, w.s3.Endpoint); err != nil {
		return nil, err
	}
	if w.hook, err = newHook(ctx); err != nil {
		return nil, err
	}
	return w, w.makeMedia(ctx)
}

func (w *world) tell(format string, values ...any) {
	fmt.Printf("%6.1f s  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, values...))
}

// makeMedia puts films of several lengths into the bucket.
func (w *world) makeMedia(ctx context.Context) error {
	folder := filepath.Join(w.folder, "people")
	if err := media.MakePeople(ctx, media.Folder, folder); err != nil {
		return fmt.Errorf("make photos ('make setup' fetches what they are made of): %w", err)
	}
	for _, p := range media.Portraits() {
		photo, err := os.ReadFile(filepath.Join(folder, p.File)) //nolint:gosec // G304: our own file
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(p.File, ".jpg"), "/")
		w.photos[name] = photo
	}
	bucket := filepath.Join(w.s3.Folder, bucketName)
	if err := os.MkdirAll(bucket, 0o750); err != nil {
		return err
	}
	clip := filepath.Join(w.folder, "clip.mp4")
	if err := media.Clip().Write(ctx, media.Folder, clip); err != nil {
		return err
	}
	for _, times := range []string{"0", "3", "9"} {
		name := "film" + times + ".mp4"
		if err := media.FFmpeg(ctx, "-stream_loop", times, "-i", clip, "-c", "copy", filepath.Join(bucket, name)); err != nil {
			return err
		}
		w.films = append(w.films, name)
	}
	return nil
}

// database is the URL for clients: through the doors, to whichever server takes changes.
func (w *world) database() string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%s,127.0.0.1:%s/spotter?target_session_attrs=read-write&connect_timeout=3",
		w.primary.User(), w.doors[0].port(), w.doors[1].port())
}

// prepare starts the processes, and enrols those whom jobs look for.
func (w *world) prepare(ctx context.Context) error {
	for _, name := range []string{"api1", "api2", "worker1", "worker2", "worker3"} {
		p, err := w.newProcess(ctx, name)
		if err != nil {
			return err
		}
		w.processes = append(w.processes, p)
		if err = p.start(); err != nil {
			return err
		}
		if err = w.until(ctx, 2*time.Minute, "is ready", p.ready); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if !p.serves {
			continue
		}
		c, err := p.client(ctx)
		if err != nil {
			return err
		}
		w.clients = append(w.clients, c)
	}
	_, err := w.clients[0].CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: aws.String(people)})
	if err != nil {
		return err
	}
	for name, photo := range w.photos {
		if _, err := index(ctx, w.clients[0], people, name, photo); err != nil {
			return err
		}
	}
	w.tell("%d processes on one database, with a standby", len(w.processes))
	return nil
}

// until asks until the answer is yes.
func (*world) until(ctx context.Context, longest time.Duration, what string, yes func(context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	for !yes(ctx) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("it is not true within %v that it %s", longest, what)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// mend takes back everything that was broken.
func (w *world) mend(ctx context.Context) error {
	w.flaky.trouble.Store(0)
	w.hook.away.Store(false)
	for _, d := range w.doors {
		d.hangs.Store(false)
		d.delay.Store(0)
	}
	for _, p := range w.processes {
		p.signal(syscall.SIGCONT)
		p.emptyDisk()
		if err := p.start(); err != nil {
			return err
		}
	}
	for _, p := range w.processes {
		if err := w.until(ctx, 2*time.Minute, "is ready again", p.ready); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (w *world) close(keep bool) error {
	for _, p := range w.processes {
		p.signal(syscall.SIGCONT)
		p.end(syscall.SIGTERM)
		p.unmount()
	}
	for _, d := range w.doors {
		if d != nil {
			_ = d.listener.Close()
			d.cut()
		}
	}
	if w.flaky != nil {
		_ = w.flaky.server.Close()
	}
	if w.hook != nil {
		_ = w.hook.server.Close()
	}
	if w.s3 != nil {
		w.s3.Stop()
	}
	for _, s := range []*pgserver.Server{w.standby, w.primary} {
		if s != nil {
			s.Stop()
		}
	}
	if keep {
		w.tell("logs are in %s", w.folder)
		return nil
	}
	return os.RemoveAll(w.folder)
}

// process is one of Spotter's.
type process struct {
	world     *world
	name      string
	serves    bool
	address   string
	arguments []string
	cache     string
	mounted   bool

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended <-chan struct{}
}

func (w *world) newProcess(ctx context.Context, name string) (*process, error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &process{world: w, name: name, serves: strings.HasPrefix(name, "api"), address: address}
	p.cache = filepath.Join(w.folder, name+"-cache")
	if err = os.MkdirAll(p.cache, 0o700); err != nil {
		return nil, err
	}
	p.mount(ctx)
	settings := map[string]any{
		"database": w.database(), "data": filepath.Join(w.folder, name), "sealing-key": filepath.Join(w.folder, "secret.key"),
		"mode": "worker", "metrics-listen": address, "workers": 1, "sample-rate": 2, "stop-timeout": "2s", "log-format": "json",
		"cache": p.cache, "min-free-disk": "1MB", "cache-idle": "1s", "open-jobs": 1000, "log-level": "debug",
		"keep-analyses": "1s", // jobs that overlap share their work, and others do it again
		"buckets": map[string]any{bucketName: map[string]any{"s3": map[string]any{
			"endpoint": w.flaky.url, "path-style": true, "region": w.s3.Region, "access-key-id": w.s3.KeyID, "secret-access-key": w.s3.Secret,
		}}},
		"topics": map[string]any{topic: []any{map[string]any{"webhook": map[string]any{"url": w.hook.url, "secret": hookSecret}}}},
	}
	if p.serves {
		settings["mode"], settings["listen"] = "api", address
		delete(settings, "metrics-listen")
	}
	file := filepath.Join(w.folder, name+".yml")
	text, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	p.arguments = []string{"serve", "--config", file}
	return p, os.WriteFile(file, text, 0o600)
}

// mount makes the cache a small disk of its own, where that may be done.
func (p *process) mount(ctx context.Context) {
	cmd := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", p.cache) //nolint:gosec // G204: our own folder
	p.mounted = !p.serves && cmd.Run() == nil
}

func (p *process) unmount() {
	if p.mounted {
		_ = exec.Command("umount", "-l", p.cache).Run() //nolint:gosec,noctx // G204: likewise
	}
}

const ballast = "ballast"

// fillDisk leaves no room in the cache.
func (p *process) fillDisk() bool {
	if !p.mounted {
		return false
	}
	f, err := os.Create(filepath.Join(p.cache, ballast))
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // it is full on purpose
	_, _ = io.Copy(f, io.LimitReader(zeros{}, 64<<20))
	return true
}

func (p *process) emptyDisk() { _ = os.Remove(filepath.Join(p.cache, ballast)) }

type zeros struct{}

// Read gives zeros.
func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// start starts the process, unless it runs.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil {
		select {
		case <-p.ended:
		default:
			return nil
		}
	}
	log, err := os.OpenFile(filepath.Join(p.world.folder, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                                     //nolint:errcheck // the process has it
	p.cmd = exec.Command(p.world.spotter, p.arguments...) //nolint:gosec,noctx // G204: the program
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = log, log, program.Attributes()
	p.ended, err = program.Start(p.cmd)
	return err
}

// signal sends a signal, if the process runs.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(s) // it may have ended
	}
}

// end has the process end by a signal, and kills it if it does not.
func (p *process) end(s syscall.Signal) {
	p.signal(s)
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	if ended == nil {
		return
	}
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		p.signal(syscall.SIGKILL)
		<-ended
	}
}

func (p *process) ready(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

// client speaks to this process alone, and tries nothing again.
func (p *process) client(ctx context.Context) (*rekognition.Client, error) {
	credentials := filepath.Join(p.world.folder, "api1", "credentials")
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithBaseEndpoint("http://"+p.address),
		config.WithSharedCredentialsFiles([]string{credentials}), config.WithSharedConfigFiles(nil),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(p.world.patience)))
	if err != nil {
		return nil, err
	}
	return rekognition.NewFromConfig(cfg), nil
}

// hook takes webhooks, unless it is away.
type hook struct {
	server *http.Server
	url    string
	away   atomic.Bool

	mu  sync.Mutex
	got map[string]map[string]int // statuses by job
}

func newHook(ctx context.Context) (*hook, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hook{url: "http://" + l.Addr().String(), got: map[string]map[string]int{}}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = h.server.Serve(l) }()
	return h, nil
}

// ServeHTTP takes note of a message.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.away.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var m struct {
		JobID  string `json:"JobId"`
		Status string `json:"Status"`
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.got[m.JobID] == nil {
		h.got[m.JobID] = map[string]int{}
	}
	h.got[m.JobID][m.Status]++
}

// told is what was said of a job.
func (h *hook) told(job string) map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := map[string]int{}
	maps.Copy(told, h.got[job])
	return told
}
