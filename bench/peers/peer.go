package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/spotter-video/spotter/bench/internal/evaluation"
	"github.com/spotter-video/spotter/bench/internal/process"
)

// seen is a frame as the peers print it, a line each.
type seen struct {
	At    int     `json:"at"` // ms after the first frame
	Faces []named `json:"faces"`
}

// named is a face and the person that it resembles most; more is more alike.
type named struct {
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

// peer is one way to find people in a video.
type peer struct {
	name string
	// threshold is the documented one.
	threshold float64
	// also are others that say something.
	also    []float64
	program string
	args    []string // before the folder of people and the video
	read    func(answer []byte, gt *evaluation.Truth) ([]evaluation.Match, error)
}

// least is the lowest similarity that Spotter is asked for, so that other thresholds can be tried on one answer; it changes no
// figure of those above.
const least = 50

// gather makes the peers ready, Spotter first. Those that cannot run are skipped, with a reason.
func gather(ctx context.Context, o options) (peers []peer, skipped []string, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	peers = []peer{spotterPeer(o), loopPeer(self, once, o), loopPeer(self, mirrored, o)}
	if err := install(ctx, o.node); err != nil {
		skipped = append(skipped, "face-api: "+err.Error())
	} else {
		peers = append(peers, faceAPIPeer(o))
	}
	return peers, skipped, nil
}

// spotterPeer's other threshold is what one pair of strangers in 10,000 reaches, as with the loop's: docs/decisions/0008-names.md.
func spotterPeer(o options) peer {
	return peer{
		name: "spotter", threshold: 80, also: []float64{71}, program: o.spotter, read: readDocument,
		args: []string{
			"search", "--json", "--quiet", "--photo-cache", "off", "--workers", "1", "--sample-rate", strconv.Itoa(rate),
			"--threshold", strconv.Itoa(least), "--models", o.models, "--faces",
		},
	}
}

// loopPeer's threshold is the cosine that one pair of strangers in 10,000 reaches: docs/decisions/0003-default-pack.md.
func loopPeer(self, how string, o options) peer {
	return peer{name: "loop, " + how, threshold: 0.42, program: self, args: []string{"loop", o.models, how}, read: readLines}
}

// faceAPIPeer's threshold is what the package's FaceMatcher takes if it is told none; the other one is that of its example for
// Node.
func faceAPIPeer(o options) peer {
	return peer{
		name: "face-api", threshold: -0.6, also: []float64{-0.5}, program: "node", args: []string{filepath.Join(o.node, "faceapi.js"), strconv.Itoa(rate)},
		read: readLines,
	}
}

// installed says whether what the lock file says is there.
func installed(folder string) bool {
	there, err := os.Stat(filepath.Join(folder, "node_modules", ".package-lock.json"))
	if err != nil {
		return false
	}
	lock, err := os.Stat(filepath.Join(folder, "package-lock.json"))
	return err == nil && !there.ModTime().Before(lock.ModTime())
}

// install installs it.
func install(ctx context.Context, folder string) error {
	if _, err := exec.LookPath("node"); err != nil || installed(folder) {
		return err
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", folder, err, out)
	}
	return nil
}

// search searches a video for the people of a folder.
func (p *peer) search(ctx context.Context, people, video string, gt *evaluation.Truth) ([]evaluation.Match, process.Cost, error) {
	args := append(append([]string{}, p.args...), people, video)
	answer, cost, err := process.Output(ctx, p.program, args...)
	if err != nil {
		return nil, cost, err
	}
	matches, err := p.read(answer, gt)
	return matches, cost, err
}

func readDocument(answer []byte, gt *evaluation.Truth) ([]evaluation.Match, error) {
	doc, err := evaluation.ReadDocument(answer)
	if err != nil {
		return nil, err
	}
	return doc.Matches(gt), nil
}

func readLines(answer []byte, _ *evaluation.Truth) ([]evaluation.Match, error) {
	var out []evaluation.Match
	lines := json.NewDecoder(bytes.NewReader(answer))
	for {
		var s seen
		if err := lines.Decode(&s); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read a line: %w", err)
		}
		for _, f := range s.Faces {
			out = append(out, evaluation.Match{Name: f.Name, At: s.At, Score: f.Score})
		}
	}
}
