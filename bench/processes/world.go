package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"

	"github.com/spotter-video/spotter/internal/testkit/media"
	"github.com/spotter-video/spotter/internal/testkit/pgserver"
	"github.com/spotter-video/spotter/internal/testkit/program"
	"github.com/spotter-video/spotter/internal/testkit/s3server"
)

// world is one process that serves and two that work, one of which can be stopped for a while.
type world struct {
	options

	folder  string
	server  *pgserver.Server
	db      *sql.DB
	api     *program.Process
	workers []*program.Process
	client  *rekognition.Client
	faces   []string
	s3      *s3server.Server
	film    int64    // bytes
	metrics []string // the workers' addresses
}

const (
	collection = "people"
	bucketName = "archive"
	filmName   = "film.mp4"
)

func newWorld(ctx context.Context, o options) (_ *world, err error) {
	w := &world{options: o}
	if w.folder, err = os.MkdirTemp("", "spotter-processes-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.server, err = pgserver.Launch(ctx, "shared_preload_libraries=pg_stat_statements"); err != nil {
		return nil, err
	}
	if err = w.server.Create(ctx, "spotter"); err != nil {
		return nil, err
	}
	if w.db, err = sql.Open("pgx", w.server.URL("spotter")); err != nil {
		return nil, err
	}
	if _, err = w.db.ExecContext(ctx, `CREATE EXTENSION pg_stat_statements`); err != nil {
		return nil, err
	}
	if w.s3, err = s3server.Launch(ctx, filepath.Join(w.folder, "s3")); err != nil {
		return nil, err
	}
	return w, w.makeFilm(ctx)
}

// makeFilm puts a long video into the bucket, and starts the processes.
func (w *world) makeFilm(ctx context.Context) (err error) {
	clip := filepath.Join(w.folder, "clip.mp4")
	film := filepath.Join(w.s3.Folder, bucketName, filmName)
	if err = os.MkdirAll(filepath.Dir(film), 0o750); err != nil {
		return err
	}
	if err = media.Clip().Write(ctx, media.Folder, clip); err != nil {
		return err
	}
	if err = media.FFmpeg(ctx, "-stream_loop", strconv.Itoa(w.loops), "-i", clip, "-c", "copy", film); err != nil {
		return err
	}
	info, err := os.Stat(film)
	if err != nil {
		return err
	}
	w.film = info.Size()
	// JSON is YAML.
	settings, err := json.Marshal(map[string]any{"buckets": map[string]any{bucketName: map[string]any{"s3": map[string]any{
		"endpoint": w.s3.Endpoint, "path-style": true, "region": w.s3.Region, "access-key-id": w.s3.KeyID, "secret-access-key": w.s3.Secret,
	}}}})
	if err != nil {
		return err
	}
	if err = os.WriteFile(w.settings(), settings, 0o600); err != nil {
		return err
	}
	return w.start(ctx)
}

func (w *world) settings() string { return filepath.Join(w.folder, "spotter.yaml") }

func (w *world) start(ctx context.Context) (err error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return err
	}
	if w.api, err = w.process(ctx, "api", address, "--mode", "api", "--listen", address); err != nil {
		return err
	}
	for _, name := range []string{"worker1", "worker2"} {
		p, failed := w.worker(ctx, name)
		if failed != nil {
			return failed
		}
		w.workers = append(w.workers, p)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithBaseEndpoint("http://"+address),
		config.WithSharedCredentialsFiles([]string{filepath.Join(w.folder, "api", "credentials")}), config.WithSharedConfigFiles(nil),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 16 })))
	if err != nil {
		return err
	}
	w.client = rekognition.NewFromConfig(cfg)
	return w.enrol(ctx)
}

func (w *world) worker(ctx context.Context, name string) (*program.Process, error) {
	address, err := program.FreeAddress(ctx)
	if err != nil {
		return nil, err
	}
	w.metrics = append(w.metrics, address)
	return w.process(ctx, name, address, "--mode", "worker", "--metrics-listen", address, "--workers", "1")
}

func (w *world) process(ctx context.Context, name, address string, arguments ...string) (*program.Process, error) {
	return program.Program{
		Path: w.spotter, Arguments: append([]string{
			"serve", "--database", w.server.URL("spotter"), "--data", filepath.Join(w.folder, name), "--config", w.settings(),
			"--keep-analyses", "0", // each search is to do all
		}, arguments...),
		Ready: func(ctx context.Context) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
			if err != nil {
				return err
			}
			answer, err := http.DefaultClient.Do(r)
			if err == nil && answer.StatusCode != http.StatusOK {
				err = errors.New("it is not ready")
			}
			if answer != nil {
				err = errors.Join(err, answer.Body.Close())
			}
			return err
		},
	}.Start(ctx)
}

func (w *world) enrol(ctx context.Context) error {
	if _, err := w.client.CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: aws.String(collection)}); err != nil {
		return err
	}
	folder := filepath.Join(w.folder, "people")
	if err := media.MakePeople(ctx, media.Folder, folder); err != nil {
		return err
	}
	for _, p := range media.Portraits() {
		photo, err := os.ReadFile(filepath.Join(folder, p.File)) //nolint:gosec // G304: our own file
		if err != nil {
			return err
		}
		out, err := w.client.IndexFaces(ctx, &rekognition.IndexFacesInput{
			CollectionId: aws.String(collection), Image: &types.Image{Bytes: photo}, ExternalImageId: aws.String(strings.Split(p.File, "/")[0]),
		})
		if err != nil {
			return err
		}
		w.faces = append(w.faces, *out.FaceRecords[0].Face.FaceId)
	}
	return nil
}

func (w *world) close() error {
	for _, p := range append(slices.Clone(w.workers), w.api) {
		if p != nil {
			p.Stop()
		}
	}
	var err error
	if w.db != nil {
		err = w.db.Close()
	}
	if w.server != nil {
		w.server.Stop()
	}
	if w.s3 != nil {
		w.s3.Stop()
	}
	return errors.Join(err, os.RemoveAll(w.folder))
}
