package crashtest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// ownMounts gives a process a mount namespace of its own, and the right to mount in it, also where nobody is root.
func ownMounts() *syscall.SysProcAttr {
	if os.Getuid() == 0 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

// diskSize is enough for the folder's files and a few jobs: SQLite's log alone grows to 16 MB.
const diskSize = 40 << 20

// TestFullDisk lets the data folder's disk run full while the server works. Requests that would have to write are refused
// with an error that clients try again; once there is room, everything goes on by itself, and nothing is damaged.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := os.Mkdir(b.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	probe := exec.CommandContext(t.Context(), "true")
	probe.SysProcAttr = ownMounts()
	if err := probe.Run(); err != nil {
		t.Skipf("this system gives no mount namespaces: %v", err)
	}
	small := diskVariable + "=" + b.data() + "=" + strconv.Itoa(diskSize)
	s := b.launch(t, ownMounts(), b.environment(small), "serve", "--config", b.settings(), "--unsigned").listening()
	s.enrol()
	// The disk is the server's alone: through its root it can be seen from here.
	inside := filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "root", b.data())
	before := s.mustSearch("before")
	s.succeeded(before)
	want := s.results(before)
	during := s.mustSearch("during")
	if _, ok := s.said(begins(during)); !ok {
		t.Fatal("no segment is begun")
	}
	fill := filepath.Join(inside, "something-else")
	fillUp(t, fill)
	// What is large does not fit any more.
	refused := 0
	for range 20 {
		if _, err := s.ask("RekognitionService.CreateCollection", fields{"CollectionId": "c" + strconv.Itoa(refused)}); err != nil {
			internal := (*refusal)(nil)
			if !errors.As(err, &internal) || !strings.Contains(internal.Type, "InternalServerError") {
				t.Fatalf("with a full disk a client gets %v", err)
			}
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused: the disk was not full")
	}
	if !strings.Contains(s.record.text(), "full") {
		t.Error("the log does not say that the disk is full")
	}
	s.must("RekognitionService.ListCollections", fields{}, nil) // reading goes on
	failed := func(e entry) bool { return e.Job == during && e.Message == "task failed and is tried again" }
	if _, ok := s.said(failed); !ok {
		t.Error("no task has failed for the full disk")
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	s.succeeded(during)
	if got := s.results(during); got != want {
		t.Errorf("the results differ after the disk was full:\n%s\nand before:\n%s", got, want)
	}
	disk, err := os.OpenRoot(inside) // which keeps the disk when the server is gone
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	s.stop()
	if err := os.CopyFS(b.data(), disk.FS()); err != nil {
		t.Fatal(err)
	}
	b.sound(t)
}

// fillUp writes until there is no more room.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}
