package config

import (
	"encoding"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Group is what a setting is about: help lists the settings group by group.
type Group string

// The groups, in the order in which help lists them.
const (
	Matching    Group = "matching"
	Environment Group = "environment"
	Limits      Group = "limits"
)

// Value is a setting that reads and writes itself as text.
type Value interface {
	encoding.TextUnmarshaler
	encoding.TextMarshaler
}

// Setting is one entry of the table of settings.
type Setting struct {
	// Key names the setting and its flag: sample-rate is set by --sample-rate.
	Key   string
	Group Group
	// Unit is the word that help puts behind the flag: what kind of value is wanted.
	Unit string
	// Usage is one line of help, without the default.
	Usage string
	// Value points into the Config that the table was made of.
	Value Value
}

// Variable is the environment variable that sets it: SPOTTER_SAMPLE_RATE.
func (s Setting) Variable() string {
	return "SPOTTER_" + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// Text is the value as it would be written.
func (s Setting) Text() string {
	text, err := s.Value.MarshalText()
	if err != nil {
		return "" // no value of this package fails to write itself
	}
	return string(text)
}

// Settings is the table of all settings; its values point into c.
func (c *Config) Settings() []Setting {
	return []Setting{
		{"threshold", Matching, "percent", "lowest similarity that counts as a match; auto: by how many are enrolled", &c.Threshold},
		{"sample-rate", Matching, "rate", "frames analysed per second of video, up to 60", &c.SampleRate},
		{"max-faces", Matching, "n", "most matches listed for one face, 1 to 4096", &c.MaxFaces},
		{"workers", Matching, "n", "segments analysed at once, about a core each; 0: one per core", &c.Workers},

		{"models", Environment, "folder", "the model pack; unset: models/default beside the program", &c.Models},
		{"onnxruntime", Environment, "file", "onnxruntime's shared library; unset: the model pack's", &c.ONNXRuntime},
		{"decoder", Environment, "file", "the decoder spotter-decode; unset: beside the program or on PATH", &c.Helper},
		{"ffmpeg", Environment, "file", "the ffmpeg program; unset: the one on PATH", &c.FFmpeg},
		{
			"photo-cache", Environment, "folder", "what photos of people gave is kept there for five days; off: nowhere; unset: in the " +
				"user's cache folder", &c.PhotoCache,
		},
		{
			"sandbox", Environment, "level", "strict: refuse to decode without full confinement; relaxed: take what there is",
			&c.Sandbox,
		},

		{"max-video-size", Limits, "size", "largest video file", &c.MaxVideoSize},
		{"max-video-length", Limits, "time", "longest video", &c.MaxVideoLength},
		{"max-video-pixels", Limits, "n", "largest frame of video, in pixels", &c.MaxVideoPixels},
		{"video-kinds", Limits, "list", "kinds of video files to read", &c.VideoKinds},
		{"raw-rate", Limits, "fps", "frames a second of H.264, HEVC and MJPEG streams without a container", &c.RawRate},
		{"max-photo-size", Limits, "size", "largest photo file to enrol", &c.MaxPhotoSize},
	}
}

// Shared are the settings that a server goes by as well. The others are of searches on the command line alone: a request
// brings its own threshold, and the photos of requests have their own limits, max-image-size and max-inline-image, and are not kept.
func (c *Config) Shared() []Setting {
	return slices.DeleteFunc(c.Settings(), func(s Setting) bool {
		return slices.Contains([]string{"threshold", "max-photo-size", "photo-cache"}, s.Key)
	})
}

// Load sets what the environment says; lookup is os.LookupEnv or a stand-in. A variable that is empty counts as unset.
// Every variable that cannot be read is named in the error, and the others are set all the same.
func (c *Config) Load(lookup func(string) (string, bool)) error { return load(c.Settings(), lookup) }

func load(settings []Setting, lookup func(string) (string, bool)) error {
	var errs []error
	for _, s := range settings {
		text, set := lookup(s.Variable())
		if !set || text == "" {
			continue
		}
		if err := s.Value.UnmarshalText([]byte(text)); err != nil {
			errs = append(errs, fmt.Errorf("environment variable %s: %w", s.Variable(), err))
		}
	}
	return errors.Join(errs...)
}
