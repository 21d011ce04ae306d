package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/rogpeppe/go-internal/cache"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// memory keeps what photos of people to search for gave, so that the same photos cost nothing the next time. Its files are
// readable by their owner alone, and an entry that was not asked for in five days is removed. Safe for concurrent use, also
// by several processes.
type memory struct {
	files *cache.Cache // nil remembers nothing
	about string       // what else decides what a photo gives: the program, the model pack
}

// seenPhoto is what a photo gave, whosoever it is of.
type seenPhoto struct {
	// Refused says why nobody can be enrolled; empty if somebody can.
	Refused   string
	Detection face.Detection
	Vector    []float32
	Portrait  []byte
	Notes     []string // what wants attention though the photo is enrolled

	unread bool // could not be decoded, which may pass: not to be remembered
}

// openMemory opens the memory that the settings name, of what a program and a model pack saw. Where it is only the default
// folder that cannot be used, nothing is remembered.
func openMemory(c *config.Config, about string) (*memory, error) {
	if c.PhotoCache == config.Off {
		return &memory{}, nil
	}
	if c.PhotoCache != "" {
		m, err := memoryIn(string(c.PhotoCache), about)
		if err != nil {
			return nil, &fault.EnvironmentError{
				Err:  fmt.Errorf("open the photo cache: %w", err),
				Mend: "Name another folder with --photo-cache (SPOTTER_PHOTO_CACHE), or 'off'.",
			}
		}
		return m, nil
	}
	home, err := os.UserCacheDir()
	if err == nil {
		var m *memory
		if m, err = memoryIn(home, about); err == nil {
			return m, nil
		}
	}
	return &memory{}, nil // it is done without
}

// memoryName is the memory's own folder within the one that is named: rights are taken from that one only.
const memoryName = "spotter-photo-cache"

// memoryIn is the memory in a folder, which is made if need be.
func memoryIn(folder, about string) (*memory, error) {
	dir := filepath.Join(folder, memoryName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // G302: a folder
		return nil, err
	}
	files, err := cache.Open(dir)
	return &memory{files: files, about: about}, err
}

// aboutPhotos names this program and its model pack: another one may see something else in a photo.
func aboutPhotos(pack *recognizer.Pack) string {
	var b strings.Builder
	for _, f := range pack.Manifest().Files {
		fmt.Fprintln(&b, f.SHA256)
	}
	fmt.Fprintf(&b, "%+v %+v\n", pack.Manifest().Detector, pack.Manifest().Embedder)
	if info, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(&b, info)
	}
	if path, err := os.Executable(); err == nil {
		if st, err := os.Stat(path); err == nil {
			fmt.Fprintln(&b, st.Size(), st.ModTime().UnixNano())
		}
	}
	return b.String()
}

// key is what a photo's content is kept under; how says in which way it is read.
func (m *memory) key(content []byte, how string) cache.ActionID {
	h := sha256.New()
	fmt.Fprintf(h, "spotter photo 1\n%q %q\n", m.about, how)
	_, _ = h.Write(content) // never fails
	return cache.ActionID(h.Sum(nil))
}

// recall is what the photo gave before; false if that is not known.
func (m *memory) recall(key cache.ActionID) (seen seenPhoto, ok bool) {
	if m.files == nil {
		return seenPhoto{}, false
	}
	content, _, err := m.files.GetBytes(key) // checked against its hash
	if err != nil || gob.NewDecoder(bytes.NewReader(content)).Decode(&seen) != nil {
		return seenPhoto{}, false
	}
	return seen, true
}

// keep remembers what a photo gave. That it cannot, as on a full disk, costs time and nothing else.
func (m *memory) keep(key cache.ActionID, seen *seenPhoto) {
	if m.files == nil || seen.unread {
		return
	}
	var b bytes.Buffer
	if gob.NewEncoder(&b).Encode(seen) == nil {
		_ = m.files.PutBytes(key, b.Bytes())
	}
}

// tidy removes what was not asked for in days; at most once a day, and as far as it can.
func (m *memory) tidy() {
	if m.files != nil {
		_ = m.files.Trim()
	}
}
