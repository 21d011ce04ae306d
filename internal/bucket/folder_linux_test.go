package bucket_test

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spotter-video/spotter/internal/bucket"
)

// TestFolderRace swaps a folder and a link that leads outside, as fast as it can, while it is read through.
func TestFolderRace(t *testing.T) {
	t.Parallel()
	folder, b := folderBucket(t)
	write(t, filepath.Join(folder, "..", "outside", "x"), []byte("outside"))
	dir, link := filepath.Join(folder, "in"), filepath.Join(folder, "link")
	if err := os.Symlink("../outside", link); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	swapped := make(chan int)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			if err := unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE); err != nil {
				t.Error(err)
				break
			}
		}
		swapped <- n
	}()
	read, refused := 0, 0
	for range 5000 {
		data, err := b.Read(t.Context(), film("in/x"), 100)
		switch {
		case string(data) == "outside":
			t.Error("read a file from outside")
		case err == nil:
			read++
		case bucket.KindOf(err) == bucket.Denied:
			refused++
		}
	}
	stop.Store(true)
	t.Logf("%d swaps, %d read inside, %d refused as links", <-swapped, read, refused)
}
