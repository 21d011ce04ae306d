package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spotter-video/spotter/internal/config"
	"github.com/spotter-video/spotter/internal/fault"
	"github.com/spotter-video/spotter/internal/recognizer"
)

// OpenPack loads the model pack that the settings name, or the one in the usual place, and checks every file of it. Errors are
// [*fault.EnvironmentError].
func OpenPack(c config.Config) (*recognizer.Pack, error) {
	pack, err := recognizer.LoadPack(ModelsFolder(c))
	if err != nil {
		mend := "Make the default pack with 'make setup', or name another one with --models or SPOTTER_MODELS."
		return nil, &fault.EnvironmentError{Err: err, Mend: mend}
	}
	return pack, nil
}

// ModelsFolder is the model pack's folder: the one set, or else the first of the usual ones that has a manifest. Where
// none has, it is where one would be made. The working folder is not among them: a pack is trusted, and
// what lies in a folder that one happens to stand in is not.
func ModelsFolder(c config.Config) string {
	if c.Models != "" {
		return string(c.Models)
	}
	places := modelPlaces()
	for _, p := range places {
		if _, err := os.Stat(filepath.Join(p, recognizer.ManifestName)); !errors.Is(err, fs.ErrNotExist) {
			return p
		}
	}
	return places[len(places)-1]
}

// ModelsHome is the folder that the default pack is made in where none is named, below which a search looks for it.
func ModelsHome() string {
	places := modelPlaces()
	return filepath.Dir(places[len(places)-1])
}

// modelPlaces are the usual places of a model pack: beside the program, in the shared data of the prefix that it is
// installed under, and in the checkout that it was built in.
func modelPlaces() []string {
	program, err := os.Executable()
	if err != nil {
		return []string{filepath.Join("models", "default")}
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	folder := filepath.Dir(program)
	return []string{
		filepath.Join(folder, "models", "default"),
		filepath.Join(folder, "..", "share", "spotter", "models", "default"),
		filepath.Join(folder, "..", "models", "default"),
	}
}
