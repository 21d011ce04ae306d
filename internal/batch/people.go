package batch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/awsapi"
	"github.com/spotter-video/spotter/internal/engine"
	"github.com/spotter-video/spotter/internal/fault"
)

// noteFunc is told of a file or folder that is passed over, and whether that may cost somebody's face.
type noteFunc func(path, reason string, lost bool)

// listPeople finds the photos of a folder of people: FOLDER/PERSON/*.jpg and FOLDER/PERSON.jpg, in the order of their
// paths. A single photo may be named instead of a folder.
//
// Links are followed, to photos and to a person's folder; that cannot lead in circles because nothing deeper is looked
// into. Hidden files and folders are passed over in silence, everything else that is no photo with a note.
func listPeople(folder string, note noteFunc) ([]engine.Photo, error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, &fault.UsageError{Err: fmt.Errorf("faces to look for: %w", fault.Plain(err))}
	}
	if !info.IsDir() {
		return []engine.Photo{photoOf(folder, stem(folder), "")}, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, &fault.UsageError{Err: fmt.Errorf("faces to look for: %w", fault.Plain(err))}
	}
	var list []engine.Photo
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		switch kind, err := kindOf(path); {
		case hidden(e.Name()):
		case err != nil:
			note(path, fault.Reason(err), true)
		case kind.IsDir():
			list = append(list, personFolder(path, note)...)
		case photoFile(path, kind, note):
			list = append(list, photoOf(path, stem(path), ""))
		}
	}
	slices.SortStableFunc(list, func(a, b engine.Photo) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// photoOf is a photo of a person, with the id that a collection would have it enrolled under.
func photoOf(path, person, name string) engine.Photo {
	return engine.Photo{Path: path, Person: person, Name: name, ExternalID: awsapi.ExternalImageID(person, name)}
}

// personFolder lists the photos of one person.
func personFolder(folder string, note noteFunc) []engine.Photo {
	entries, err := os.ReadDir(folder)
	if err != nil {
		note(folder, fault.Reason(err), true)
		return nil
	}
	var list []engine.Photo
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		switch kind, err := kindOf(path); {
		case hidden(e.Name()):
		case err != nil:
			note(path, fault.Reason(err), true)
		case kind.IsDir():
			note(path, "a folder inside a person's folder is not looked into", true)
		case photoFile(path, kind, note):
			list = append(list, photoOf(path, filepath.Base(absolute(folder)), stem(path)))
		}
	}
	return list
}

// photoFile says whether a file may be a photo, by its name; what it really holds is the decoder's to say.
func photoFile(path string, kind fs.FileMode, note noteFunc) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".heic", ".heif", ".hif":
	case ".avif", ".gif", ".bmp", ".tif", ".tiff":
		note(path, "only JPEG, PNG, WebP and HEIC photos can be enrolled; convert it", true)
		return false
	default:
		note(path, "not a photo", false)
		return false
	}
	if !kind.IsRegular() {
		note(path, "not a regular file", true)
		return false
	}
	return true
}

// kindOf is the type of what a path leads to, links followed.
func kindOf(path string) (fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode(), nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}
