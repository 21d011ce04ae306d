package main

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/photo"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// pairGoal is the share of LFW pairs that must be judged rightly.
const pairGoal = 0.99

// folds of the cross validation: each fold is judged with the threshold that is best on the others, as LFW's own
// protocol does.
const folds = 10

// pairing is the result of one list of pairs.
type pairing struct {
	List     string  `json:"list"`
	Pairs    int     `json:"pairs"`
	Images   int     `json:"images"`
	Faceless int     `json:"faceless"` // images in which no face was found
	Accuracy float64 `json:"accuracy"`
}

func (p pairing) String() string {
	return fmt.Sprintf("%-18s %.2f %% of %d pairs of faces judged rightly (goal %.0f; %d images, %d without a face)",
		p.List, 100*p.Accuracy, p.Pairs, 100*pairGoal, p.Images, p.Faceless)
}

// couple is one pair of LFW.
type couple struct {
	a, b string // NAME_0001.jpg
	same bool
}

// verify judges LFW's development pairs with the detector, alignment and embedder that searches use.
func verify(ctx context.Context, o options) ([]pairing, error) {
	dir := filepath.Join(o.evaluation, "lfw")
	lists := map[string][]couple{}
	wanted := map[string]bool{}
	names := []string{"pairsDevTest", "pairsDevClean"}
	for _, name := range names {
		list, err := readPairs(filepath.Join(dir, name+".txt"))
		if err != nil {
			return nil, err
		}
		lists[name] = list
		for _, c := range list {
			wanted[c.a], wanted[c.b] = true, true
		}
	}
	faces, err := embedAll(ctx, o, filepath.Join(dir, "lfw-dev.tar"), wanted)
	if err != nil {
		return nil, err
	}
	out := make([]pairing, 0, len(names))
	for _, name := range names {
		out = append(out, judge(name, lists[name], faces))
	}
	return out, nil
}

// portrait is one image's face, as it is searched for and as it is enrolled.
type portrait struct{ probe, template []float32 }

// judge scores a list: each image of a pair is searched for among the other's enrolled face, and the mean counts. An
// image without a face scores -1 with everything.
func judge(name string, list []couple, faces map[string]*portrait) pairing {
	p := pairing{List: name, Pairs: len(list)}
	scores := make([]float64, len(list))
	images := map[string]bool{}
	for i, c := range list {
		images[c.a], images[c.b] = true, true
		scores[i] = -1
		if a, b := faces[c.a], faces[c.b]; a != nil && b != nil {
			scores[i] = (face.Dot(a.probe, b.template) + face.Dot(b.probe, a.template)) / 2
		}
	}
	for image := range images {
		p.Images++
		if faces[image] == nil {
			p.Faceless++
		}
	}
	p.Accuracy = crossValidate(list, scores)
	return p
}

// crossValidate deals the pairs into folds in turn, so that each has same and different people.
func crossValidate(list []couple, scores []float64) float64 {
	right := 0
	for fold := range folds {
		in := func(i int) bool { return i%folds == fold }
		threshold := bestThreshold(list, scores, func(i int) bool { return !in(i) })
		for i, c := range list {
			if in(i) && (scores[i] >= threshold) == c.same {
				right++
			}
		}
	}
	return evaluation.Share(right, len(list))
}

func bestThreshold(list []couple, scores []float64, use func(int) bool) float64 {
	type scored struct {
		score float64
		same  bool
	}
	var all []scored
	right := 0
	for i, c := range list {
		if use(i) {
			all = append(all, scored{scores[i], c.same})
			if !c.same {
				right++
			}
		}
	}
	// From above all scores downwards: each pair that comes to lie at or above the threshold is now called the same.
	slices.SortFunc(all, func(a, b scored) int {
		if a.score > b.score {
			return -1
		}
		return 1
	})
	best, threshold := right, 2.0
	for _, s := range all {
		if s.same {
			right++
		} else {
			right--
		}
		if right > best {
			best, threshold = right, s.score
		}
	}
	return threshold
}

func readPairs(path string) ([]couple, error) {
	f, err := os.Open(path) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	image := func(name, number string) string {
		n, _ := strconv.Atoi(number)
		return fmt.Sprintf("%s_%04d.jpg", name, n)
	}
	var out []couple
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		switch w := strings.Fields(lines.Text()); len(w) {
		case 3:
			out = append(out, couple{image(w[0], w[1]), image(w[0], w[2]), true})
		case 4:
			out = append(out, couple{image(w[0], w[1]), image(w[2], w[3]), false})
		}
	}
	return out, lines.Err()
}

// embedAll embeds every wanted image of the archive.
func embedAll(ctx context.Context, o options, archive string, wanted map[string]bool) (map[string]*portrait, error) {
	pack, err := recognizer.LoadPack(o.models)
	if err != nil {
		return nil, err
	}
	rt, err := recognizer.NewRuntime("", o.models)
	if err != nil {
		return nil, err
	}
	defer rt.Close() //nolint:errcheck // the program ends
	rec, err := rt.New(pack, recognizer.Options{})
	if err != nil {
		return nil, err
	}
	defer rec.Close()          //nolint:errcheck // the program ends
	f, err := os.Open(archive) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	out := map[string]*portrait{}
	for files := tar.NewReader(f); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		name := filepath.Base(h.Name)
		if !wanted[name] || out[name] != nil {
			continue
		}
		if out[name], err = embed(ctx, rec, files); err != nil {
			return nil, fmt.Errorf("embed %s: %w", name, err)
		}
	}
}

// embed embeds the person an LFW image shows, who is the one in the middle: as enrolled and as searched for. It returns
// nil for an image without a face.
func embed(ctx context.Context, rec *recognizer.Recognizer, image io.Reader) (*portrait, error) {
	p, err := photo.Decode(image, photo.DefaultLimits())
	if err != nil {
		return nil, err
	}
	faces, err := rec.Faces(ctx, p)
	if err != nil || len(faces) == 0 {
		return nil, err
	}
	subject := slices.MinFunc(faces, func(a, b recognizer.Face) int {
		return cmp.Compare(offCentre(a.Detection.Box), offCentre(b.Detection.Box))
	})
	template, err := rec.Template(ctx, p, &subject)
	if err != nil {
		return nil, err
	}
	return &portrait{probe: subject.Sample.Embedding.Vector, template: template.Embedding.Vector}, nil
}

func offCentre(b face.Box) float64 {
	c := b.Center()
	return math.Hypot(float64(c.X)-0.5, float64(c.Y)-0.5)
}
