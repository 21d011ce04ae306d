package packbuild

import (
	"crypto/sha256"
	_ "embed" // the cohort's figures
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spotter-video/spotter/internal/recognizer"
)

// The folders that Build writes below its outDir.
const (
	PackFolder    = "default"
	RuntimeFolder = "runtime"
)

// packName is the default pack's, in its manifest.
const packName = "default"

// The npm packages of the models and of onnxruntime, and what may be read of them.
const (
	modelsPackage     = "faceplugin-face-recognition-js"
	modelsVersion     = "0.0.1"
	attributesPackage = "@vladmandic/face-api"
	attributesVersion = "1.7.15"
	runtimePackage    = "onnxruntime-node"
	runtimeVersion    = "1.30.0"
	maxModel          = 64 << 20  // bytes; the largest model used has 5 MB
	maxLibrary        = 256 << 20 // bytes; the library has 46 MB
)

// Build makes the default pack: it reads the models and onnxruntime's library from the npm packages installed in npmDir
// (a node_modules folder) and writes outDir/default and outDir/runtime. Each file is replaced as a whole, the manifest
// last, so that a build cut short leaves no pack that loads with wrong files. What is there and no file of such a pack is
// not replaced unless force says so; the error then is an [*outfile.RefusedError].
func Build(npmDir, outDir string, force bool) error {
	if err := build(npmDir, outDir, force); err != nil {
		return fmt.Errorf("build the default model pack: %w", err)
	}
	return nil
}

func build(npmDir, outDir string, force bool) error {
	if err := errors.Join(
		checkVersion(npmDir, modelsPackage, modelsVersion), checkVersion(npmDir, attributesPackage, attributesVersion),
		checkVersion(npmDir, runtimePackage, runtimeVersion),
	); err != nil {
		return err
	}
	files, err := packFiles(npmDir)
	if err != nil {
		return err
	}
	manifest, err := newManifest(files)
	if err != nil {
		return err
	}
	document, err := manifest.Bytes()
	if err != nil {
		return err
	}
	library, err := read(filepath.Join(npmDir, runtimePackage, runtimeFile()), maxLibrary)
	if err != nil {
		return err
	}
	pack, lib := filepath.Join(outDir, PackFolder), filepath.Join(outDir, RuntimeFolder)
	//nolint:gosec // models and a library are for every user of the machine to read
	if err := errors.Join(os.MkdirAll(pack, 0o755), os.MkdirAll(lib, 0o755)); err != nil {
		return err
	}
	contents := []content{{filepath.Join(lib, recognizer.RuntimeName()), library, sharedLibrary()}}
	older := packFile(pack)
	for _, f := range files {
		contents = append(contents, content{filepath.Join(pack, f.spec.Path), f.content, older})
	}
	return writeAll(append(contents, content{filepath.Join(pack, recognizer.ManifestName), document, older}), force)
}

// runtimeFile is where the npm package keeps the library for this system.
func runtimeFile() string {
	arch := runtime.GOARCH
	if arch == "amd64" {
		arch = "x64"
	}
	return filepath.Join("bin", "napi-v6", runtime.GOOS, arch, recognizer.RuntimeName())
}

// checkVersion says whether the installed package is the one whose files were measured.
func checkVersion(npmDir, name, version string) error {
	document, err := read(filepath.Join(npmDir, name, "package.json"), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("npm package %s is not installed in %s; run 'npm ci --ignore-scripts' first", name, npmDir)
	}
	if err != nil {
		return err
	}
	var is struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(document, &is); err != nil {
		return fmt.Errorf("read package.json of %s: %w", name, err)
	}
	if is.Version != version {
		return fmt.Errorf("npm package %s is version %s instead of %s; run 'npm ci --ignore-scripts'", name, is.Version, version)
	}
	return nil
}

// read reads a regular file of at most limit bytes.
func read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is not a regular file of at most %d bytes", path, limit)
	}
	return os.ReadFile(path) //nolint:gosec // the path is made of constants below the folder the caller named
}

// file is one file of the pack to be.
type file struct {
	spec    recognizer.FileSpec
	content []byte
}

func newFile(path string, content []byte, source, changes, licence string) file {
	sum := sha256.Sum256(content)
	return file{content: content, spec: recognizer.FileSpec{
		Path: path, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		Licence: licence, Source: source, Changes: changes,
	}}
}
