package video

import (
	"encoding/json"
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
	folder, err := os.MkdirTemp("", "threads") // where another user may go
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
	if i < 0 || !test.Attempts[i].Refused || !strings.Contains(test.Attempts[i].Error, "stopped after") {
		t.Errorf("%+v", test.Attempts)
	}
	t.Log(test.Attempts[i].Error)
}
