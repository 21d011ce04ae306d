package packbuild

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/outfile"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// content is a file to be written.
type content struct {
	path  string
	bytes []byte
	over  outfile.Kind // what it may replace
}

// writeAll writes files in their order, after it has looked whether all of them may be written.
func writeAll(list []content, force bool) error {
	places := make([]*outfile.Place, len(list))
	for i, c := range list {
		var err error
		if places[i], err = outfile.At(c.path, c.over, force); err != nil {
			return err
		}
	}
	for i, c := range list {
		if err := places[i].Write(c.bytes); err != nil {
			return err
		}
	}
	return nil
}

// packFile is the kind of files that an older default pack in a folder consists of: its manifest and what that lists.
func packFile(folder string) outfile.Kind {
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved // as the names of files that are looked at are
	}
	older := map[string]bool{}
	var m recognizer.Manifest
	document, err := read(filepath.Join(folder, recognizer.ManifestName), 1<<20)
	if err == nil && json.Unmarshal(document, &m) == nil && m.Name == packName {
		older[recognizer.ManifestName] = true
		for _, f := range m.Files {
			older[filepath.FromSlash(f.Path)] = true
		}
	}
	return outfile.Kind{Name: "a file of an older default pack", Is: func(f *os.File) bool {
		name, err := filepath.Rel(folder, f.Name())
		return err == nil && older[name]
	}}
}

// sharedLibrary is the kind of onnxruntime's library: ELF, or Mach-O of 64 bits.
func sharedLibrary() outfile.Kind {
	return outfile.Kind{Name: "a shared library", Is: func(f *os.File) bool {
		magic := make([]byte, 4)
		if _, err := f.ReadAt(magic, 0); err != nil {
			return false
		}
		return bytes.Equal(magic, []byte("\x7fELF")) || bytes.Equal(magic, []byte("\xcf\xfa\xed\xfe"))
	}}
}
