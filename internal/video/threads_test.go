package video

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestThreadsAreBounded runs the self-test as a user without rights, as servers should: root is held to no number of threads.
func TestThreadsAreBounded(t *testing.T) {
	t.Parallel()
	d := newDecoder(t)
	if len(d.helper) == 0 || os.Getuid() != 0 {
		t.Skip("for another user the self-test does it anyway")
	}
	program, err := os.ReadFile(d.helper)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "threads") //nolint:usetesting // another user may go there
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	copied := filepath.Join(folder, helperName)
	if err = os.WriteFile(copied, program, 0o600); err == nil {
		err = os.Chmod(copied, 0o755)
	}
	if err == nil {
		err = os.Chmod(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	cmd := exec.CommandContext(t.Context(), copied, SelfTestCommand)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.Output()
	var test SelfTest
	if wrong := json.Unmarshal(out, &test); wrong != nil {
		t.Skipf("no process of another user can be started here: %v %v", err, wrong)
	}
	i := slices.IndexFunc(test.Attempts, func(a Attempt) bool { return strings.Contains(a.Name, "threads") })
	if i < 0 || !test.Attempts[i].Refused {
		t.Fatalf("%+v", test.Attempts)
	}
	all, err := filepath.Glob("/proc/[0-9]*/task/*")
	if err != nil {
		t.Fatal(err)
	}
	// Memory would end it, too, at some 17,000.
	const more, others = 1024, 3000 // that may have ended in between
	var n int
	if _, err = fmt.Sscanf(test.Attempts[i].Error, "stopped after %d", &n); err != nil || n > len(all)+more+others {
		t.Errorf("%s, with %d threads on the machine: %v", test.Attempts[i].Error, len(all), err)
	}
}
