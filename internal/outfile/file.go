package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is being written, beside its place and hidden until it is complete. It belongs to one goroutine.
type File struct {
	*os.File
	place *Place
	done  bool
}

// Create opens a file to be written. It may be done before the work begins, so that an hour is not spent on results that
// cannot be saved. A pipe or a device is written to directly.
func (p *Place) Create() (*File, error) {
	if p.directly {
		f, err := os.OpenFile(p.named, os.O_WRONLY, 0)
		if err != nil {
			return nil, p.cannot(err)
		}
		return &File{File: f, place: p}, nil
	}
	f, err := p.createBeside()
	if err != nil {
		return nil, p.cannot(err)
	}
	return &File{File: f, place: p}, nil
}

// createBeside makes a new hidden file in the folder of the target. Unlike os.CreateTemp's it may be read by whom its mode
// and the umask allow.
func (p *Place) createBeside() (*os.File, error) {
	const attempts = 100 // so many files that killed processes of the same number may have left
	for i := 0; ; i++ {
		name := filepath.Join(filepath.Dir(p.target), fmt.Sprintf("%s%d-%d.tmp", Unfinished(p.target), os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, p.mode) //nolint:gosec // the user names it
		if err == nil || !errors.Is(err, fs.ErrExist) || i > attempts {
			return f, err
		}
	}
}

// Unfinished is what the names of hidden files begin with that are to become a path. One stays when the process is killed.
func Unfinished(path string) string { return "." + filepath.Base(path) + "." }

// Commit writes the content to the disk and gives the file its name. If another file has come to its place since it was
// looked at, that one stays, and the error is a [*RefusedError].
func (f *File) Commit() error {
	if f.place.directly {
		f.done = true
		return f.Close()
	}
	defer f.Discard()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write %s: %w", f.place.named, err)
	}
	if err := f.name(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(f.place.target))
}

// name gives the file its name.
func (f *File) name() error {
	p := f.place
	if p.there == nil {
		// Unlike a rename, a link never takes the place of a file; but not every disk knows links.
		err := os.Link(f.Name(), p.target)
		if err == nil {
			return nil
		}
		if _, taken := os.Lstat(p.target); taken == nil {
			return &RefusedError{Path: p.named, Reason: "a file has come there meanwhile, and is not overwritten", Err: fs.ErrExist}
		}
	} else if info, err := os.Stat(p.target); err != nil || !unchanged(p.there, info) {
		return p.refuse("it has changed meanwhile, and is not overwritten")
	}
	if err := os.Rename(f.Name(), p.target); err != nil {
		return fmt.Errorf("write %s: %w", p.named, err)
	}
	return nil
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Discard removes what was written unless it was committed; then it does nothing.
func (f *File) Discard() {
	if f.done {
		return
	}
	f.done = true
	_ = f.Close() // nothing more of it is wanted
	if !f.place.directly {
		_ = os.Remove(f.Name()) // gone if it was renamed; what cannot be removed stays, hidden and named as temporary
	}
}

// Write writes a whole file to its place.
func (p *Place) Write(content []byte) error {
	f, err := p.Create()
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", p.named, err)
	}
	return f.Commit()
}

// syncFolder makes a new name in a folder last. Not every file system can; what it says of that is of no use to anyone.
func syncFolder(folder string) error {
	d, err := os.Open(folder) //nolint:gosec // as above
	if err != nil {
		return nil //nolint:nilerr // a folder that may be written to and not read
	}
	_ = d.Sync()
	return d.Close()
}
