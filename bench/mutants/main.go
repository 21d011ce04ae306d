// Command mutants breaks the code in many places, one after another, and looks whether the tests notice.
//
//	go run ./bench/mutants [--only WORD]      # or: make mutants
//
// list.txt names the places: each with what is broken, the line before and after, and the tests that must fail. The working
// tree is not touched: the go command is given a changed copy of one file as an overlay. A place whose text is not found
// exactly once is an error, so that the list keeps up with the code; so are tests that fail without a mutation, and a
// mutation that does not compile.
//
// The program's status is 1 if a mutation survives, and 2 if the list is not in order.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed list.txt
var list string

func main() {
	only := flag.String("only", "", "run the mutations alone whose name, file or package has this word")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	survivors, err := run(ctx, *only, os.Stdout)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	case survivors > 0:
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, out io.Writer) (survivors int, err error) {
	all, err := parse(list)
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(m mutation) bool {
		return !strings.Contains(m.name+" "+m.file+" "+strings.Join(m.tests, " "), only)
	})
	folder, err := os.MkdirTemp("", "spotter-mutants-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	changed := make([][]byte, len(all))
	var lost []error
	for i, m := range all { // all of them first: a list that is not in order is not worth a quarter of an hour
		changed[i], err = m.apply()
		lost = append(lost, err)
	}
	if err := errors.Join(lost...); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := sound(ctx, all); err != nil {
		return 0, err
	}
	for i, m := range all {
		start := time.Now()
		killed, err := m.test(ctx, folder, changed[i])
		if err != nil {
			return 0, err
		}
		word := "killed  "
		if !killed {
			survivors++
			word = "SURVIVED"
		}
		fmt.Fprintf(out, "%s %5.1f s  %s: %s\n", word, time.Since(start).Seconds(), m.file, m.name)
	}
	fmt.Fprintf(out, "%d of %d killed, in %v\n", len(all)-survivors, len(all), time.Since(began).Round(time.Second))
	return survivors, nil
}

// mutation is one way to break the code.
type mutation struct {
	name, file    string
	before, after string
	tests         []string // arguments of go test
}

// parse reads the list: blocks of four lines, and comments.
func parse(text string) (all []mutation, err error) {
	var block []string
	for line := range strings.Lines(text + "\n\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if line != "" {
			block = append(block, line)
			continue
		}
		if len(block) == 0 {
			continue
		}
		m, err := newMutation(block)
		if err != nil {
			return nil, err
		}
		all, block = append(all, m), nil
	}
	return all, nil
}

func newMutation(block []string) (mutation, error) {
	if len(block) != 4 {
		return mutation{}, fmt.Errorf("list.txt: %q has %d lines; want its name, its file and tests, - and +", block[0], len(block))
	}
	place := strings.Fields(block[1])
	before, removes := strings.CutPrefix(block[2], "- ")
	after, adds := strings.CutPrefix(block[3]+" ", "+ ") // nothing may come after
	if len(place) < 2 || !removes || !adds {
		return mutation{}, fmt.Errorf("list.txt: %q is not in order; want its name, its file and tests, - and +", block[0])
	}
	return mutation{name: block[0], file: place[0], tests: place[1:], before: before, after: strings.TrimSpace(after)}, nil
}

// apply gives the file as it is with the mutation.
func (m mutation) apply() ([]byte, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; start this in the repository's folder", m.name, err)
	}
	if n := bytes.Count(text, []byte(m.before)); n != 1 {
		return nil, fmt.Errorf("%s: %s has %d times the text %q: the code has changed, and bench/mutants/list.txt has to follow",
			m.name, m.file, n, m.before)
	}
	return bytes.Replace(text, []byte(m.before), []byte(m.after), 1), nil
}

// sound wants all tests to pass without a mutation: otherwise they tell nothing.
func sound(ctx context.Context, all []mutation) error {
	var done []string
	for _, m := range all {
		key := strings.Join(m.tests, " ")
		if slices.Contains(done, key) {
			continue
		}
		done = append(done, key)
		if out, err := goTest(ctx, "", m.tests...); err != nil {
			return fmt.Errorf("go test %s fails without a mutation: %w\n%s", key, err, out)
		}
	}
	return nil
}

// test runs the tests with the changed file in the place of the true one, and says whether they fail.
func (m mutation) test(ctx context.Context, folder string, changed []byte) (killed bool, err error) {
	path, err := filepath.Abs(m.file)
	if err != nil {
		return false, err
	}
	copied, overlay := filepath.Join(folder, "changed.go"), filepath.Join(folder, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: copied}})
	if err != nil {
		return false, err
	}
	if err = errors.Join(os.WriteFile(copied, changed, 0o600), os.WriteFile(overlay, text, 0o600)); err != nil {
		return false, err
	}
	out, err := goTest(ctx, overlay, append([]string{"-count=1"}, m.tests...)...)
	failure := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return false, nil
	case ctx.Err() != nil || !errors.As(err, &failure):
		return false, err
	case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
		return false, fmt.Errorf("%s: the mutation does not compile:\n%s", m.name, out)
	}
	return true, nil
}

func goTest(ctx context.Context, overlay string, arguments ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-failfast", "-vet=off"}, arguments...)...) //nolint:gosec // of list.txt
	if overlay != "" {
		// Tests that build programs of this repository are to build the changed ones.
		cmd.Env = append(os.Environ(), "GOFLAGS=-overlay="+overlay)
	}
	return cmd.CombinedOutput()
}
