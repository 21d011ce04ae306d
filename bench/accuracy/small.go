package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/internal/photo"
)

// Clips of small faces: 1920 x 1080, four seconds at 25 frames a second, people of LFW in eight columns and five rows, who
// sway a little, each with a cell of their own. Another photo of each is enrolled.
const (
	smallColumns, smallRows = 8, 5
	cellWidth, cellHeight   = 240, 216 // pixels
	smallSeconds            = 4
)

// smallFaces is what is found of faces of one height, in pixels, in a clip compressed by x264 with a constant rate factor.
type smallFaces struct {
	Height int `json:"height"`
	CRF    int `json:"crf"`
	// Faces are the faces that the analysed frames show; Detected and Named are those of them that are found, and that bear
	// their own name. Wrong bear another one, Elsewhere are found where nobody is.
	Faces     int `json:"faces"`
	Detected  int `json:"detected"`
	Named     int `json:"named"`
	Wrong     int `json:"wrong"`
	Elsewhere int `json:"elsewhere"`
}

func (s smallFaces) String() string {
	return fmt.Sprintf("small faces        %2d pixels in 1080p, CRF %d: %5.1f %% detected, %5.1f %% named, %d wrongly, %d where nobody is",
		s.Height, s.CRF, 100*evaluation.Share(s.Detected, s.Faces), 100*evaluation.Share(s.Named, s.Faces), s.Wrong, s.Elsewhere)
}

// measureSmall makes the clips and searches them.
func (m *measuring) measureSmall(ctx context.Context) error {
	if m.skipPairs || !m.wants("small") {
		return nil
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		fmt.Fprintln(m.w, "small faces        skipped: ffmpeg is not installed")
		return nil
	}
	dir, err := os.MkdirTemp("", "spotter-small-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	people, err := choosePeople(ctx, m.options, dir)
	if err != nil {
		return err
	}
	for _, height := range []int{28, 36, 40, 48, 64} {
		for _, crf := range []int{28, 35} {
			s := smallFaces{Height: height, CRF: crf}
			clip := filepath.Join(dir, fmt.Sprintf("%d-%d.mp4", height, crf))
			if err := makeSmall(ctx, people, &s, clip); err != nil {
				return err
			}
			doc, err := searchClip(ctx, m.options, clip, filepath.Join(dir, "enrol"))
			if err != nil {
				return err
			}
			s.count(doc, people)
			m.Small = append(m.Small, s)
			fmt.Fprintln(m.w, s)
		}
	}
	return nil
}

// actor is a person of LFW: the photo that is shown, and how high the face is in it, in pixels.
type actor struct {
	name, photo string
	height      float64
}

// choosePeople takes the first people of LFW in the order of their names with three photos, one of which shows one face that
// looks at the camera; it writes that photo, and another one to enrol.
func choosePeople(ctx context.Context, o options, dir string) (people []actor, err error) {
	photos, err := photosOf(o.path("lfw/lfw-dev.tar"))
	if err != nil {
		return nil, err
	}
	l, err := newLaboratory(o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := os.MkdirAll(filepath.Join(dir, "enrol"), 0o700); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(photos)) {
		list := photos[name]
		if len(list) < 3 || len(people) == smallColumns*smallRows {
			continue
		}
		picture, err := photo.Decode(bytes.NewReader(list[1]), photo.DefaultLimits())
		if err != nil {
			return nil, err
		}
		faces, err := l.recognizer.Faces(ctx, picture)
		if err != nil {
			return nil, err
		}
		if len(faces) != 1 || faces[0].Refused != "" || math.Abs(float64(faces[0].Detection.Pose.Yaw)) > 25 {
			continue
		}
		a := actor{name, filepath.Join(dir, name+".jpg"), float64(faces[0].Height)}
		if err := errors.Join(os.WriteFile(a.photo, list[1], 0o600),
			os.WriteFile(filepath.Join(dir, "enrol", name+".jpg"), list[0], 0o600)); err != nil {
			return nil, err
		}
		people = append(people, a)
	}
	if len(people) < smallColumns*smallRows {
		return nil, fmt.Errorf("LFW has %d people to make clips of, %d are needed", len(people), smallColumns*smallRows)
	}
	return people, nil
}

// photosOf reads the photos of each person of an LFW tar file.
func photosOf(archive string) (map[string][][]byte, error) {
	f, err := os.Open(archive) //nolint:gosec // named by the person who runs the measurement
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	photos := map[string][][]byte{}
	for files := tar.NewReader(f); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return photos, nil
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(h.Name, ".jpg") {
			continue
		}
		content, err := io.ReadAll(files)
		if err != nil {
			return nil, err
		}
		person := path.Base(path.Dir(h.Name))
		photos[person] = append(photos[person], content)
	}
}

// middle is the middle of a person's cell in pixels.
func middle(i int) (x, y int) {
	return i%smallColumns*cellWidth + cellWidth/2, i/smallColumns*cellHeight + cellHeight/2
}

// makeSmall draws the people with faces of one height, with a little noise as cameras have.
func makeSmall(ctx context.Context, people []actor, s *smallFaces, clip string) error {
	args := []string{"-y", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("gradients=s=1920x1080:r=25:d=%d:seed=1:speed=0.001", smallSeconds)}
	var graph strings.Builder
	for i, a := range people {
		args = append(args, "-i", a.photo)
		x, y := middle(i)
		fmt.Fprintf(&graph, "[%d:v]scale=iw*%.4f:-1:flags=area[p%d];", i+1, float64(s.Height)/a.height, i)
		fmt.Fprintf(&graph, "[%s][p%d]overlay=x='%d-w/2+25*sin(n/14+%d)':y='%d-h/2+8*cos(n/11+%d)'[v%d];", base(i), i, x, i, y, 2*i, i+1)
	}
	fmt.Fprintf(&graph, "[%s]noise=alls=6:allf=t:all_seed=1,format=yuv420p[out]", base(len(people)))
	args = append(args, "-filter_complex", graph.String(), "-map", "[out]", "-t", strconv.Itoa(smallSeconds),
		"-c:v", "libx264", "-preset", "veryfast", "-crf", strconv.Itoa(s.CRF), clip)
	//nolint:gosec // the program's own arguments
	if out, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("make a clip of small faces: %w: %s", err, bytes.TrimSpace(out))
	}
	s.Faces = len(people) * smallSeconds * usualSampleRate
	return nil
}

func base(i int) string {
	if i == 0 {
		return "0:v"
	}
	return "v" + strconv.Itoa(i)
}

// count compares what was found with who stands where.
func (s *smallFaces) count(doc *evaluation.Document, people []actor) {
	seen := map[[2]int]bool{} // time and cell
	for _, p := range doc.Persons {
		b := p.Person.Face.BoundingBox
		x, y := int(1920*(b.Left+b.Width/2)), int(1080*(b.Top+b.Height/2))
		cell := y/cellHeight*smallColumns + x/cellWidth
		mx, my := middle(cell)
		near := max(s.Height/2, 20)
		if x < mx-25-near || x > mx+25+near || y < my-8-near || y > my+8+near || seen[[2]int{p.Timestamp, cell}] {
			s.Elsewhere++
			continue
		}
		seen[[2]int{p.Timestamp, cell}] = true
		s.Detected++
		switch {
		case len(p.FaceMatches) == 0:
		case p.FaceMatches[0].Face.ExternalImageId == people[cell].name:
			s.Named++
		default:
			s.Wrong++
		}
	}
}

// searchClip searches a video as a user would.
func searchClip(ctx context.Context, o options, clip, faces string) (*evaluation.Document, error) {
	//nolint:gosec // the program under test, named by the person who runs the measurement
	cmd := exec.CommandContext(ctx, o.spotter, "search", "--json", "--quiet", "--faces", faces,
		"--threshold", strconv.FormatFloat(o.threshold, 'g', -1, 64), clip)
	cmd.Args = append(cmd.Args, o.extra...)
	cmd.Stderr = os.Stderr
	raw, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", clip, err)
	}
	doc, err := evaluation.ReadDocument(raw)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", clip, err)
	}
	return doc, nil
}
