package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// RefusedError says why nothing is written to a path. Nothing has been touched.
type RefusedError struct {
	Path, Reason string
	Err          error // the system's, if it is the reason
}

func (e *RefusedError) Error() string { return e.Path + ": " + e.Reason }

func (e *RefusedError) Unwrap() error { return e.Err }

// Kind is a kind of file that may take the place of an older one of its kind.
type Kind struct {
	// Name with its article, such as "a page of Spotter's".
	Name string
	// Is says whether a file that is there is of the kind. Nil: no file that is there is ever replaced.
	Is func(*os.File) bool
}

// Place is where a file may be written: nothing is there, or something that may be replaced. It is a value of one
// goroutine.
type Place struct {
	named  string
	target string // what named leads to, links followed
	mode   fs.FileMode
	// there is the file that was there when the place was looked at; nil for none.
	there    fs.FileInfo
	directly bool // to a pipe or a device
}

// At says whether a file of a kind may be written to a path. What is there already may be replaced if it is empty or of
// the kind; force says that any file may. A link is followed, so that what it leads to is replaced and the link stays. A
// refusal is a [*RefusedError].
func At(path string, kind Kind, force bool) (*Place, error) {
	p := &Place{named: path, target: path, mode: 0o666}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, p.vacant()
	case err != nil:
		return nil, p.cannot(err)
	case info.IsDir():
		return nil, p.refuse("it is a folder; name the file to be written")
	case !info.Mode().IsRegular():
		p.directly = true
		return p, nil
	}
	if p.target, err = filepath.EvalSymlinks(path); err != nil {
		return nil, p.cannot(err)
	}
	p.there, p.mode = info, info.Mode().Perm()
	if force || info.Size() == 0 {
		return p, nil
	}
	return p, p.replaceable(kind)
}

// New says whether a new file may be written to a path, for its owner alone (mode 0600). Whatever is there already, links
// included, refuses it with an error that is [fs.ErrExist].
func New(path string) (*Place, error) {
	p := &Place{named: path, target: path, mode: 0o600}
	if _, err := os.Lstat(path); err == nil {
		return nil, &RefusedError{Path: path, Reason: "it is there already, and is not overwritten", Err: fs.ErrExist}
	}
	return p, p.vacant()
}

// Private makes the file one that only its owner can read (mode 0600), also where it takes the place of another.
func (p *Place) Private() *Place {
	p.mode = 0o600
	return p
}

// Opened is the place of a file that is being written already, such as standard output. It is of use for Apart alone.
func Opened(f *os.File) *Place {
	p := &Place{named: f.Name(), directly: true}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.there = info
	}
	return p
}

// Path is the path that was named.
func (p *Place) Path() string { return p.named }

// Apart says whether the place is none of the files that are read, be it by name or as another name of the same file. No
// force helps against that. Files that are not there are nobody's.
func (p *Place) Apart(inputs []string) error {
	if p.there == nil {
		return nil
	}
	for _, input := range inputs {
		if info, err := os.Stat(input); err == nil && os.SameFile(info, p.there) {
			return p.refuse("it is read as " + input + ", and what is read is never overwritten; name another file")
		}
	}
	return nil
}

// Distinct says whether no two places are the same one.
func Distinct(places []*Place) error {
	seen := map[string]bool{}
	for _, p := range places {
		path, err := filepath.Abs(p.target)
		switch {
		case err != nil:
			return p.cannot(err)
		case p.directly || p.target == "":
		case seen[path]:
			return p.refuse("two results are to be written there; name another file for one of them")
		}
		seen[path] = true
	}
	return nil
}

// vacant says whether a new file can be made: its folder is there, and no link that leads nowhere has its name.
func (p *Place) vacant() error {
	if _, err := os.Lstat(p.named); err == nil {
		return p.refuse("it is a link that leads nowhere; name a file")
	}
	folder := filepath.Dir(p.named)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !info.IsDir():
		return &RefusedError{Path: p.named, Reason: "there is no folder " + folder, Err: err}
	case err != nil:
		return p.cannot(err)
	}
	return nil
}

// replaceable says whether the file that is there is of a kind.
func (p *Place) replaceable(kind Kind) error {
	if kind.Is == nil {
		return &RefusedError{Path: p.named, Reason: "it is there already, and is not overwritten", Err: fs.ErrExist}
	}
	f, err := os.Open(p.target)
	if err != nil {
		return p.cannot(err) // what cannot be looked at might be anything
	}
	is := kind.Is(f)
	if err := f.Close(); err != nil {
		return p.cannot(err)
	}
	if !is {
		return p.refuse("it is there already and is not " + kind.Name +
			": it is not overwritten. Name another file, or say --force to replace it")
	}
	return nil
}

func (p *Place) refuse(reason string) error { return &RefusedError{Path: p.named, Reason: reason} }

func (p *Place) cannot(err error) error {
	cause := err
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		cause = e.Err
	}
	return &RefusedError{Path: p.named, Reason: fmt.Sprintf("cannot be written: %v", cause), Err: err}
}
