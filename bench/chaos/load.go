package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// jobsAtOnce is how many jobs are open at most, and faceClients how many clients change and search faces.
const (
	jobsAtOnce  = 6
	faceClients = 4
	collections = 2
)

// load is what clients do.
type load struct {
	world   *world
	group   sync.WaitGroup
	history *history

	mu      sync.Mutex
	jobs    []*accepted      // guarded by mu, as are the following
	twice   []string         // tokens that started two jobs
	places  [collections]int // how many collections have been in each place where faces are changed
	refused int
	wrong   []error
}

// accepted is a job that was accepted.
type accepted struct {
	film, token, id string
}

func newLoad(w *world) *load { return &load{world: w, history: newHistory()} }

func (l *load) wait() { l.group.Wait() }

// begin has clients work until the context ends.
func (l *load) begin(ctx context.Context, seed uint64) {
	for i := range jobsAtOnce {
		r := rand.New(rand.NewPCG(seed, 100+uint64(i))) //nolint:gosec // G115, G404: to be repeated
		l.group.Go(func() { l.searchFilms(ctx, r, i) })
	}
	for i := range faceClients {
		r := rand.New(rand.NewPCG(seed, 200+uint64(i))) //nolint:gosec // G115, G404: to be repeated
		l.group.Go(func() { l.changeFaces(ctx, r, i) })
	}
}

// anyone is one of the processes that serve.
func (l *load) anyone(r *rand.Rand) *rekognition.Client {
	return l.world.clients[r.IntN(len(l.world.clients))]
}

// searchFilms starts one job after another. What was started is found out by the same token, however often it takes.
func (l *load) searchFilms(ctx context.Context, r *rand.Rand, client int) {
	for n := 0; ctx.Err() == nil; n++ {
		a := &accepted{film: l.world.films[r.IntN(len(l.world.films))], token: fmt.Sprintf("client-%d-%d", client, n)}
		l.start(context.WithoutCancel(ctx), r, a)
		if a.id == "" {
			continue
		}
		again := *a
		again.id = ""
		if r.IntN(3) == 0 { // a client that has not heard the answer
			l.start(context.WithoutCancel(ctx), r, &again)
			if again.id != a.id {
				l.mu.Lock()
				l.twice = append(l.twice, a.token)
				l.mu.Unlock()
			}
		}
		l.mu.Lock()
		l.jobs = append(l.jobs, a)
		l.mu.Unlock()
		for ctx.Err() == nil {
			status, _, err := l.status(ctx, l.anyone(r), a.id)
			if err == nil && status != string(types.VideoJobStatusInProgress) {
				break
			}
			time.Sleep(300 * time.Millisecond)
		}
	}
}

// start asks until somebody answers.
func (l *load) start(ctx context.Context, r *rand.Rand, a *accepted) {
	for a.id == "" {
		out, err := l.anyone(r).StartFaceSearch(ctx, &rekognition.StartFaceSearchInput{
			CollectionId: aws.String(people), ClientRequestToken: aws.String(a.token), JobTag: aws.String(a.token),
			Video:               &types.Video{S3Object: &types.S3Object{Bucket: aws.String(bucketName), Name: aws.String(a.film)}},
			NotificationChannel: &types.NotificationChannel{SNSTopicArn: aws.String(topic), RoleArn: aws.String("arn:aws:iam::000000000000:role/r")},
		})
		if err == nil {
			a.id = *out.JobId
			return
		}
		l.mu.Lock()
		l.refused++
		if invalid := (*types.InvalidParameterException)(nil); errors.As(err, &invalid) {
			l.wrong = append(l.wrong, fmt.Errorf("start a job: %w", err))
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		time.Sleep(time.Duration(100+r.IntN(400)) * time.Millisecond)
	}
}

func (*load) status(ctx context.Context, c *rekognition.Client, id string) (status, message string, err error) {
	out, err := c.GetFaceSearch(ctx, &rekognition.GetFaceSearchInput{JobId: aws.String(id), MaxResults: aws.Int32(1)})
	if err != nil {
		return "", "", err
	}
	return string(out.JobStatus), aws.ToString(out.StatusMessage), nil
}

// results are all that a job found.
func (*load) results(ctx context.Context, c *rekognition.Client, id string) (string, error) {
	var all []types.PersonMatch
	in := &rekognition.GetFaceSearchInput{JobId: aws.String(id), MaxResults: aws.Int32(1000)}
	for {
		out, err := c.GetFaceSearch(ctx, in)
		if err != nil {
			return "", err
		}
		all = append(all, out.Persons...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			text, err := json.Marshal(all)
			return string(text), err
		}
	}
}

// changeFaces enrols, deletes and looks for people, and writes down what it was told.
func (l *load) changeFaces(ctx context.Context, r *rand.Rand, client int) {
	names := slices.Sorted(maps.Keys(l.world.photos))
	made := map[string]bool{}
	for ctx.Err() == nil {
		place := r.IntN(collections)
		collection, name := l.collection(place), names[r.IntN(len(names))]
		if !made[collection] {
			l.create(ctx, r, collection)
			made[collection] = true
		}
		c, action := l.anyone(r), r.IntN(10)
		// Of a face of which a change was not answered less and less would be wrong: it is only looked for, and when there are many like that
		// others take their place.
		doubtful, all := l.history.doubts(collection, name)
		if all > len(names)/2 {
			l.leave(place, collection)
			continue
		}
		if doubtful {
			action = 9
		}
		asking := context.WithoutCancel(ctx)
		switch {
		case action < 3:
			done := l.history.begin(client, collection, name, enrolling)
			id, err := index(asking, c, collection, name, l.world.photos[name])
			l.history.learn(collection, name, id)
			done(true, err)
		case action < 5:
			id := l.history.known(collection, name)
			if id == "" {
				continue
			}
			done := l.history.begin(client, collection, name, deleting)
			_, err := c.DeleteFaces(asking, &rekognition.DeleteFacesInput{CollectionId: aws.String(collection), FaceIds: []string{id}})
			done(false, err)
		default:
			done := l.history.begin(client, collection, name, looking)
			found, err := look(asking, c, collection, name, l.world.photos[name])
			done(found, err)
		}
	}
}

// collection is one that faces are changed in.
func (l *load) collection(place int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return collectionName(place, l.places[place])
}

func collectionName(place, n int) string { return fmt.Sprintf("changing-%d-%d", place, n) }

// leave has another collection take the place of one, if none has.
func (l *load) leave(place int, collection string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if collection == collectionName(place, l.places[place]) {
		l.places[place]++
	}
}

// create makes a collection, unless there is one.
func (l *load) create(ctx context.Context, r *rand.Rand, name string) {
	for ctx.Err() == nil {
		_, err := l.anyone(r).CreateCollection(ctx, &rekognition.CreateCollectionInput{CollectionId: aws.String(name)})
		if exists := (*types.ResourceAlreadyExistsException)(nil); err == nil || errors.As(err, &exists) {
			return
		}
	}
}

func index(ctx context.Context, c *rekognition.Client, collection, name string, photo []byte) (string, error) {
	out, err := c.IndexFaces(ctx, &rekognition.IndexFacesInput{
		CollectionId: aws.String(collection), ExternalImageId: aws.String(name), Image: &types.Image{Bytes: photo}, MaxFaces: aws.Int32(1),
	})
	if err != nil {
		return "", err
	}
	if len(out.FaceRecords) != 1 {
		return "", fmt.Errorf("%d faces of %s were enrolled", len(out.FaceRecords), name)
	}
	return *out.FaceRecords[0].Face.FaceId, nil
}

// look says whether somebody is found who has this photo.
func look(ctx context.Context, c *rekognition.Client, collection, name string, photo []byte) (bool, error) {
	out, err := c.SearchFacesByImage(ctx, &rekognition.SearchFacesByImageInput{
		CollectionId: aws.String(collection), Image: &types.Image{Bytes: photo}, FaceMatchThreshold: aws.Float32(99),
	})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(out.FaceMatches, func(m types.FaceMatch) bool { return aws.ToString(m.Face.ExternalImageId) == name }), nil
}

// check says what did not hold.
func (l *load) check(ctx context.Context) error {
	wrong := l.wrong
	fail := func(format string, values ...any) { wrong = append(wrong, fmt.Errorf(format, values...)) }
	c := l.world.clients[0]
	slices.SortFunc(l.jobs, func(a, b *accepted) int { return strings.Compare(a.token, b.token) })
	for _, token := range l.twice {
		fail("the token %s started two jobs", token)
	}
	want := map[string]string{}
	for _, film := range l.world.films { // an undisturbed run
		a := &accepted{film: film, token: "undisturbed-" + strings.TrimSuffix(film, ".mp4")}
		l.start(ctx, rand.New(rand.NewPCG(1, 1)), a) //nolint:gosec // G404: any will do
		if err := l.ended(ctx, c, a.id); err != nil {
			return err
		}
		var err error
		if want[film], err = l.results(ctx, c, a.id); err != nil {
			return err
		}
	}
	ends := map[string]int{}
	for _, a := range l.jobs {
		if err := l.ended(ctx, c, a.id); err != nil {
			fail("job %s: %w", a.token, err)
			continue
		}
		status, message, err := l.status(ctx, c, a.id)
		if err != nil {
			return err
		}
		ends[status]++
		if status != string(types.VideoJobStatusSucceeded) && !strings.Contains(message, "bucket") {
			fail("job %s is %s: %s", a.token, status, message)
		} else if got, err := l.results(ctx, c, a.id); err != nil {
			return err
		} else if status == string(types.VideoJobStatusSucceeded) && got != want[a.film] {
			fail("job %s (%s) has other results than an undisturbed one of %s", a.token, a.id, a.film)
		}
		told := func(context.Context) bool { return l.world.hook.told(a.id)[status] > 0 }
		if err := l.world.until(ctx, 3*time.Minute, "is told", told); err != nil {
			fail("the end of job %s: %w", a.token, err)
		}
		if got := l.world.hook.told(a.id); len(got) > 1 {
			fail("job %s is %s, and told was %v", a.token, status, got)
		}
	}
	wrong = append(wrong, l.history.check())
	l.world.tell("%d jobs: %v; %d requests to start one came to nothing; %s; S3 went wrong %d times", len(l.jobs), ends, l.refused,
		l.history.summary(), l.world.flaky.counted.Load())
	if len(l.jobs) == 0 {
		fail("no job was accepted")
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	l.world.tell("all of it holds")
	return nil
}

// ended waits for a job's end.
func (l *load) ended(ctx context.Context, c *rekognition.Client, id string) error {
	return l.world.until(ctx, 12*time.Minute, "ends", func(ctx context.Context) bool {
		status, _, err := l.status(ctx, c, id)
		return err == nil && status != string(types.VideoJobStatusInProgress)
	})
}
