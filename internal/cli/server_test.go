package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spotter-video/spotter/internal/testkit/patience"
)

// patient is a context that ends when this process and the servers and programs that it has started do nothing any more, or
// too much.
func patient() (context.Context, context.CancelFunc) {
	return patience.Patience{Idle: 30 * time.Second, Effort: 5 * time.Minute}.Context(context.Background())
}

// serving waits until a server has said its address in a file, and sets $URL: serving FILE
func serving(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serving FILE")
	}
	address := regexp.MustCompile(`https?://[0-9.:]+`)
	eventually(ts, "no address in "+args[0], func() bool {
		content, err := os.ReadFile(ts.MkAbs(args[0]))
		url := address.FindString(string(content))
		ts.Setenv("URL", url)
		return err == nil && url != ""
	})
}

// call sends a request without a signature and prints the answer: [!] call TARGET [BODY]
func call(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: [!] call TARGET [BODY]")
	}
	body := "{}"
	if len(args) == 2 {
		body = args[1]
	}
	ctx, cancel := patient()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, ts.Getenv("URL")+"/", strings.NewReader(body))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", args[0])
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close() //nolint:errcheck // it has been read
	content, err := io.ReadAll(answer.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(content)
	ts.Check(err)
	if ok := answer.StatusCode == http.StatusOK; ok == neg {
		ts.Fatalf("%s is answered with %s: %s", args[0], answer.Status, content)
	}
}

// setFrom sets a variable to the first word of a file that is a number or an id: setfrom NAME FILE
func setFrom(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: setfrom NAME FILE")
	}
	word := regexp.MustCompile(`\b([0-9]+|[0-9a-f]{64}|AKIA[A-Z2-7]{16})\b`).FindString(ts.ReadFile(args[1]))
	if word == "" {
		ts.Fatalf("no number or id in %s", args[1])
	}
	ts.Setenv(args[0], word)
}

// until runs a program again and again until a line of what it prints matches: until PATTERN PROGRAM [ARGUMENT...]
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN PROGRAM [ARGUMENT...]")
	}
	wanted := regexp.MustCompile("(?m)" + args[0])
	eventually(ts, "never printed "+args[0], func() bool {
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
				ts.Fatalf("%v", err)
			}
		}
		return wanted.MatchString(ts.ReadFile("stdout"))
	})
}

func eventually(ts *testscript.TestScript, otherwise string, is func() bool) {
	ctx, cancel := patient()
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			ts.Fatalf("%s", otherwise)
		}
		time.Sleep(200 * time.Millisecond) // what is waited for is in another process
	}
}
