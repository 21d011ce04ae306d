package recognizer

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
)

// Tests on the evaluation data: real people's faces, which are not part of the project.

func evaluation(t *testing.T, elements ...string) string {
	t.Helper()
	dir := os.Getenv("SPOTTER_EVALUATION")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "evaluation")
	}
	p := filepath.Join(append([]string{dir}, elements...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("evaluation data are absent (%v); SPOTTER_EVALUATION says where they are", err)
	}
	return p
}

func TestEveryEvaluationPhotoIsEnrolled(t *testing.T) {
	t.Parallel()
	photos, err := filepath.Glob(filepath.Join(evaluation(t, "enrol"), "*", "*", "*"))
	if err != nil || len(photos) == 0 {
		t.Fatalf("%d photos, %v", len(photos), err)
	}
	r := newRecognizer(t, "", Options{})
	var last face.Embedding
	for _, name := range photos {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := r.Enrol(t.Context(), decode(t, f))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Height < DefaultMinEnrolHeight || got.Sample.Norm < 2.6 || got.Detection.Confidence < 90 {
			t.Errorf("%s: enrolled a face of height %v, norm %v, confidence %v", name, got.Height, got.Sample.Norm,
				got.Detection.Confidence)
		}
		last = got.Sample.Embedding
	}
	if last.Model != r.pack.Model() {
		t.Errorf("the embedding is of model %q", last.Model)
	}
}

// TestPairs verifies LFW's pairs of View 1 through the whole way from a photo to a score. The threshold is chosen on
// nine tenths of the pairs and judged on the tenth, ten times over.
func TestPairs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("embeds 1,900 photos")
	}
	newRecognizer(t, "", Options{}) // skips where there is no pack
	const goal = 0.99
	lists, wanted := map[string][]couple{}, map[string]bool{}
	for _, name := range []string{"pairsDevTest.txt", "pairsDevClean.txt"} {
		lists[name] = readPairs(t, evaluation(t, "lfw", name))
		for _, c := range lists[name] {
			wanted[c.a], wanted[c.b] = true, true
		}
	}
	vectors := embedLFW(t, evaluation(t, "lfw", "lfw-dev.tar"), wanted)
	for name, list := range lists {
		pairs := scored(list, vectors)
		best, _ := accuracy(pairs, nil)
		sum := 0.0
		for fold := range 10 {
			held := func(i int) bool { return i%10 == fold }
			_, threshold := accuracy(pairs, held)
			right, all := 0, 0
			for i, p := range pairs {
				if held(i) {
					all++
					if (p.score >= threshold) == p.same {
						right++
					}
				}
			}
			sum += float64(right) / float64(all)
		}
		t.Logf("%s: %d pairs, %.2f %% right in ten folds, %.2f %% with the best threshold", name, len(pairs), 10*sum, 100*best)
		if sum/10 < goal {
			t.Errorf("%s: %.4f are right, the goal is %v", name, sum/10, goal)
		}
	}
}

type pair struct {
	score float64
	same  bool
}

// accuracy is the best share of right answers over all thresholds, and that threshold; pairs that are held back are
// left out.
func accuracy(pairs []pair, held func(int) bool) (best, at float64) {
	for threshold := 0.1; threshold < 0.6; threshold += 0.002 {
		right, all := 0, 0
		for i, p := range pairs {
			if held != nil && held(i) {
				continue
			}
			all++
			if (p.score >= threshold) == p.same {
				right++
			}
		}
		if share := float64(right) / float64(all); share > best {
			best, at = share, threshold
		}
	}
	return best, at
}

// embedLFW embeds the wanted photos of the tar file, by the photo's name.
func embedLFW(t *testing.T, name string, wanted map[string]bool) map[string][]float32 {
	t.Helper()
	type job struct {
		name string
		file []byte
	}
	jobs := make(chan job)
	vectors, mutex, group := map[string][]float32{}, sync.Mutex{}, sync.WaitGroup{}
	for range 2 {
		r := newRecognizer(t, "", Options{})
		group.Go(func() {
			for j := range jobs {
				v, err := subjectOf(t, r, j.file)
				if err != nil {
					t.Errorf("%s: %v", j.name, err)
				}
				mutex.Lock()
				vectors[j.name] = v
				mutex.Unlock()
			}
		})
	}
	eachPhoto(t, name, func(name string) bool { return wanted[name] }, func(name string, file []byte) {
		jobs <- job{name, file}
	})
	close(jobs)
	group.Wait()
	return vectors
}

// eachPhoto reads the wanted photos of a tar file, by their names without a suffix.
func eachPhoto(t *testing.T, name string, wanted func(name string) bool, do func(name string, file []byte)) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if name, is := strings.CutSuffix(path.Base(h.Name), ".jpg"); is && wanted(name) {
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			do(name, content)
		}
	}
}

// subjectOf is the embedding of the photo's person.
func subjectOf(t *testing.T, r *Recognizer, file []byte) ([]float32, error) {
	t.Helper()
	p, err := photo.Decode(bytes.NewReader(file), photo.DefaultLimits())
	if err != nil {
		return nil, err
	}
	f, err := subject(t, r, p)
	return f.Sample.Embedding.Vector, err
}

// subject is the photo's person: the largest face near the middle, one that is good enough to enrol before one that is
// not.
func subject(t *testing.T, r *Recognizer, p *face.Picture) (Face, error) {
	t.Helper()
	faces, err := r.Faces(t.Context(), p)
	if err != nil {
		return Face{}, err
	}
	slices.SortStableFunc(faces, func(a, b Face) int { return cmp.Compare(min(len(a.Refused), 1), min(len(b.Refused), 1)) })
	for _, f := range faces { // largest first
		if c := f.Detection.Box.Center(); c.X > 0.3 && c.X < 0.7 && c.Y > 0.3 && c.Y < 0.7 {
			return f, nil
		}
	}
	return Face{}, errors.New("no face in the middle")
}

// couple is a pair of photos as a list names it.
type couple struct {
	a, b string
	same bool
}

// scored compares the photos of a list. A photo without a face resembles nobody.
func scored(list []couple, vectors map[string][]float32) []pair {
	var pairs []pair
	for _, c := range list {
		p := pair{-1, c.same}
		if a, b := vectors[c.a], vectors[c.b]; a != nil && b != nil {
			p.score = face.Dot(a, b)
		}
		pairs = append(pairs, p)
	}
	return pairs
}

func readPairs(t *testing.T, name string) []couple {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []couple
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n")[1:] {
		f := strings.Split(line, "\t")
		same := len(f) == 3
		if same {
			f = []string{f[0], f[1], f[0], f[2]}
		}
		list = append(list, couple{photoName(t, f[0], f[1]), photoName(t, f[2], f[3]), same})
	}
	return list
}

func photoName(t *testing.T, person, number string) string {
	t.Helper()
	n := 0
	if _, err := fmt.Sscan(number, &n); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s_%04d", person, n)
}
