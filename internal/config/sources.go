package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// FileVariable is the environment variable that names the configuration file where no flag does.
const FileVariable = "SPOTTER_CONFIG"

// maxFile bounds the configuration file and the files of secrets, in bytes.
const maxFile = 1 << 20

// Sources are what the server's settings come from. What comes later wins: the defaults, the file, the environment, the
// flags.
type Sources struct {
	// File is the path of the configuration file; empty: the one that [FileVariable] names, if any.
	File string
	// LookupEnv is os.LookupEnv or a stand-in. A variable that is empty counts as unset.
	LookupEnv func(string) (string, bool)
	// Flags are the flags that were given, by key, with their texts.
	Flags map[string]string
	// Buckets are what the flag --bucket was given, NAME=FOLDER each. They are added to the file's.
	Buckets []string
	// ReadFile reads a file of at most limit bytes; nil is [ReadFile].
	ReadFile func(path string, limit int64) ([]byte, error)
}

// Read puts the settings together and checks them. The error names everything that cannot be read, or else everything
// that is not valid.
func (s Sources) Read() (Config, Server, error) {
	engine, server := Default(), DefaultServer()
	err := errors.Join(s.readFile(&engine, &server), engine.Load(s.LookupEnv), server.Load(s.LookupEnv),
		s.readFlags(append(engine.Shared(), server.Settings()...)), s.addBuckets(&server))
	if err == nil {
		err = errors.Join(engine.Validate(), server.Validate())
	}
	return engine, server, err
}

func (s Sources) readFile(engine *Config, server *Server) error {
	path := s.File
	if path == "" {
		path, _ = s.LookupEnv(FileVariable)
	}
	if path == "" {
		return nil
	}
	read := s.ReadFile
	if read == nil {
		read = ReadFile
	}
	content, err := read(path, maxFile)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	f := file{name: path, folder: filepath.Dir(path), lookup: s.LookupEnv, read: read}
	return f.parse(content, engine, server)
}

func (s Sources) readFlags(settings []Setting) error {
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(s.Flags)) {
		i := slices.IndexFunc(settings, func(s Setting) bool { return s.Key == key })
		if i < 0 {
			errs = append(errs, fmt.Errorf("there is no setting --%s", key))
		} else if err := settings[i].Value.UnmarshalText([]byte(s.Flags[key])); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

func (s Sources) addBuckets(server *Server) error {
	var errs []error
	for _, text := range s.Buckets {
		if err := server.AddBucket(text); err != nil {
			errs = append(errs, fmt.Errorf("--bucket: %w", err))
		}
	}
	return errors.Join(errs...)
}

// ReadFile reads a file of at most limit bytes.
func ReadFile(path string, limit int64) (_ []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // the user names it
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return content, err
}
