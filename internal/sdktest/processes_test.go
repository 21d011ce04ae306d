package sdktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/testkit/pgserver"
	"github.com/spotter-video/spotter/internal/testkit/program"
)

// TestManyProcesses moves a server to a database that processes share: everything is as it was, a job that was in progress goes on, and what one
// process has answered holds at the others.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	w, url := here(t), pgserver.Database(t)
	alone := w.own(t, "alone", nil)
	k := keep(t, alone.client(t))
	if err := alone.stop(); err != nil {
		t.Fatal(err)
	}
	w.copies(t, alone.data, url)

	one, two := w.sharing(t, "one", url, alone), w.sharing(t, "two", url, alone)
	w.working(t, "worker", url)
	for i, s := range []*server{one, two} {
		if diff := cmp.Diff(k.seen, seen(t, s.client(t), k.collection, k.job), ignored()...); diff != "" {
			t.Errorf("at process %d it is different:\n%s", i+1, diff)
		}
	}
	if went := searched(t, two.client(t), k.open); went.JobStatus != types.VideoJobStatusSucceeded || len(went.Persons) != len(k.seen.Persons) {
		t.Errorf("the job that was in progress is %s with %d persons", went.JobStatus, len(went.Persons))
	}
	if again := startSearch(t, two.client(t), k.request); *again != *k.job {
		t.Error("the token of a request is forgotten")
	}
	atBoth(t, k.collection, one.client(t), two.client(t))
	w.audited(t, url, filepath.Join(w.folder, "one"), filepath.Join(w.folder, "two"))
}

// audited wants one log to tell which faces were deleted, and neither process to have one of its own.
func (w *world) audited(t *testing.T, url string, folders ...string) {
	t.Helper()
	for _, operation := range []string{"DeleteFaces", "FacesDeleted", "FacesEnrolled", "DeleteUser"} {
		out, err := exec.CommandContext(t.Context(), w.spotter, "audit", "--database", url, "--operation", operation, "--json").Output()
		if n := strings.Count(string(out), `"operation":"`+operation+`"`); err != nil || n != 3 {
			t.Errorf("%d entries of %s, want 3: %v\n%s", n, operation, err, out)
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "audit.log")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("an audit log in %s: %v", folder, err)
		}
	}
}

// atBoth changes a collection at one process and looks at the other at once.
func atBoth(t *testing.T, id *string, one, two *rekognition.Client) {
	t.Helper()
	found := func(c *rekognition.Client, photo string) []types.FaceMatch {
		t.Helper()
		return ok(c.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(photo)}))(t).FaceMatches
	}
	for range 3 {
		face := enrol(t, one, id, eve, "eve")
		if list := found(two, eve); len(list) != 1 || *list[0].Face.FaceId != face {
			t.Errorf("after one process has enrolled a face, the other one finds %d", len(list))
		}
		user(t, two, id, "eve", face)
		mine := ok(one.SearchUsersByImage(t.Context(), &rekognition.SearchUsersByImageInput{CollectionId: id, Image: stored(eve)}))(t).UserMatches
		if len(mine) != 1 || *mine[0].User.UserId != "eve" {
			t.Errorf("after one process has associated a face, the other one finds %d users", len(mine))
		}
		ok(one.DeleteUser(t.Context(), &rekognition.DeleteUserInput{CollectionId: id, UserId: new("eve")}))(t)
		ok(two.DeleteFaces(t.Context(), &rekognition.DeleteFacesInput{CollectionId: id, FaceIds: []string{face}}))(t)
		if list := found(one, eve); len(list) != 0 {
			t.Errorf("after one process has deleted a face, the other one finds %d", len(list))
		}
		one, two = two, one
	}
	ok(one.DeleteCollection(t.Context(), &rekognition.DeleteCollectionInput{CollectionId: id}))(t)
	_, err := two.SearchFacesByImage(t.Context(), &rekognition.SearchFacesByImageInput{CollectionId: id, Image: stored(anna)})
	refused[*types.ResourceNotFoundException](t, err, "The collection id: "+*id+" does not exist")
}

// TestOneKeyFile starts a second process with a key file of its own.
func TestOneKeyFile(t *testing.T) {
	t.Parallel()
	w, url := here(t), pgserver.Database(t)
	w.own(t, "sealed", settings{"mode": "api", "database": url})
	_, err := w.start(t.Context(), "unsealed", settings{"mode": "api", "database": url})
	if err == nil || !strings.Contains(err.Error(), "unsealed/secret.key is missing") || !strings.Contains(err.Error(), "--sealing-key") {
		t.Errorf("without the key file: %v", err)
	}
	if err = os.WriteFile(filepath.Join(w.folder, "unsealed", "secret.key"), []byte(strings.Repeat("k", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.start(t.Context(), "unsealed", settings{"mode": "api", "database": url})
	if err == nil || !strings.Contains(err.Error(), "is not the one that the database belongs to") {
		t.Errorf("with another key file: %v", err)
	}
}

// copies moves what a server keeps.
func (w *world) copies(t *testing.T, data, url string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), w.spotter, "copy", "--from", data, "--to", url, "--json").Output()
	if err != nil {
		t.Fatalf("copy: %v", err)
	}
	var told struct{ Rows map[string]int64 }
	if err := json.Unmarshal(out, &told); err != nil || told.Rows["faces"] != 2 || told.Rows["jobs"] != 2 || told.Rows["access_keys"] != 1 {
		t.Errorf("copied are %s, %v", out, err)
	}
}

// sharing starts a process that serves, with the key file and the credentials of another.
func (w *world) sharing(t *testing.T, name, url string, keys *server) *server {
	t.Helper()
	s := w.own(t, name, settings{"mode": "api", "database": url, "sealing-key": filepath.Join(keys.data, "secret.key")})
	s.data = keys.data
	return s
}

// working starts a process that works on jobs.
func (w *world) working(t *testing.T, name, url string) {
	t.Helper()
	address, err := program.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	process, err := program.Program{
		Path: w.spotter, Arguments: []string{
			"serve", "--mode", "worker", "--database", url, "--data", filepath.Join(w.folder, name), "--metrics-listen", address,
			"--models", filepath.Join(w.root, "models", "default"), "--bucket", archive + "=" + w.bucket,
		},
		Ready: func(ctx context.Context) error {
			answer, failed := get(ctx, "http://"+address+"/readyz")
			if failed == nil && answer.status != http.StatusOK {
				failed = errors.New("it is not ready")
			}
			return failed
		},
	}.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(process.Stop)
}
