package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/program"
	"github.com/spotter-video/spotter/internal/testkit/queueserver"
	"github.com/spotter-video/spotter/internal/testkit/s3server"
)

// stage is what the script needs: a film, photos of people, three servers.
type stage struct {
	options

	folder string
	began  time.Time
	down   []func() // what ends the servers, in the order in which they were started

	objects *s3server.Server
	queues  *queueserver.Server
	url     string // of Spotter
	key     accessKey
}

// build sets the stage, a line a step.
func (s *stage) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.makeMedia, s.startS3, s.startQueues, s.startSpotter} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// takeDown ends the servers, last things first.
func (s *stage) takeDown() {
	for _, end := range slices.Backward(s.down) {
		end()
	}
	s.tell("everything is taken down")
}

func (s *stage) line(text string) { fmt.Fprintln(s.out, text) }

func (s *stage) tell(format string, values ...any) {
	s.line(fmt.Sprintf("%6.1f s  ", s.now().Sub(s.began).Seconds()) + fmt.Sprintf(format, values...))
}

func (s *stage) people() string { return filepath.Join(s.folder, "people") }
func (s *stage) video() string  { return filepath.Join(s.folder, "party.mp4") }

func (s *stage) makeMedia(ctx context.Context) error {
	if err := media.MakePeople(ctx, s.photos, s.people()); err != nil {
		return fmt.Errorf("make photos ('make setup' fetches what they are made of): %w", err)
	}
	if err := s.film.Write(ctx, s.photos, s.video()); err != nil {
		return err
	}
	s.tell("photos of %d people and a video are made of group photos", len(media.Portraits()))
	return nil
}

func (s *stage) startS3(ctx context.Context) (err error) {
	if s.objects, err = s3server.Launch(ctx, filepath.Join(s.folder, "s3")); err != nil {
		return err
	}
	s.down = append(s.down, s.objects.Stop)
	s.tell("S3 (versitygw) is on %s", s.objects.Endpoint)
	return nil
}

func (s *stage) startQueues(ctx context.Context) (err error) {
	if s.queues, err = queueserver.Launch(ctx); err != nil {
		return err
	}
	s.down = append(s.down, s.queues.Stop)
	s.tell("SNS and SQS (goaws) are on %s", s.queues.Endpoint)
	return nil
}

func (s *stage) startSpotter(ctx context.Context) error {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return err
	}
	s.url = "http://" + address
	file := filepath.Join(s.folder, "spotter.yml")
	if err = os.WriteFile(file, s.configuration(address), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	process, err := program.Program{
		Path: s.spotter, Arguments: []string{"serve", "--config", file}, Env: ownEnvironment(), Ready: ready(s.url + "/readyz"),
	}.Start(ctx)
	if err != nil {
		return fmt.Errorf("%w('spotter doctor' says what is missing on this machine)", err)
	}
	s.down = append(s.down, process.Stop)
	if s.key, err = readKey(s.credentials()); err != nil {
		return err
	}
	// On AWS one access key opens all services. So here: what Spotter has made at its first start also opens S3.
	if err = s.objects.AddKey(ctx, s.key.id, s.key.secret); err != nil {
		return err
	}
	s.tell("%s serve --config %s is on %s", s.spotter, file, s.url)
	return nil
}

// ready asks a server whether it is.
func ready(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, answer.Status)
		}
		return nil
	}
}

// perform runs the script. It is told of an interrupt itself, so that it removes what it has made before the servers go.
func (s *stage) perform(ctx context.Context, python, script string) error {
	cmd := exec.CommandContext(ctx, python, script, s.people(), s.video()) //nolint:gosec // our own script
	cmd.Env = append(ownEnvironment(),
		"AWS_SHARED_CREDENTIALS_FILE="+s.credentials(),
		"AWS_DEFAULT_REGION="+s.objects.Region,
		"AWS_ENDPOINT_URL_REKOGNITION="+s.url,
		"AWS_ENDPOINT_URL_S3="+s.objects.Endpoint,
		"AWS_ENDPOINT_URL_SNS="+s.queues.Endpoint,
		"AWS_ENDPOINT_URL_SQS="+s.queues.Endpoint,
	)
	cmd.Stdout, cmd.Stderr = s.out, os.Stderr
	cmd.SysProcAttr = program.Attributes()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 15 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run %s: %w", script, err)
	}
	return nil
}
