package config

import (
	"errors"
	"fmt"
	"time"
)

// Config is every setting of the program. The zero value of a path means "look in the usual place".
type Config struct {
	// Threshold is the lowest similarity, in percent, that counts as a match. Raising it loses people who are small,
	// turned or badly lit; lowering it names strangers: at 80 about one comparison of two different people in 100,000
	// passes, at 90 one in a million.
	Threshold Threshold
	// SampleRate is how many frames a second are analysed. Raising it finds shorter appearances and costs time in
	// proportion; below 2 faces can no longer be followed from frame to frame.
	SampleRate Rate
	// MaxFaces is the most matches listed for one face, best first.
	MaxFaces Count
	// Workers is how many segments of video are analysed at once, each using about one core; 0 is one per CPU core.
	Workers Count

	// Models is the folder of the model pack.
	Models Path
	// ONNXRuntime is onnxruntime's shared library; unset, the pack's own.
	ONNXRuntime Path
	// Helper is the decoder spotter-decode; unset, the one beside the program, then the one on PATH.
	Helper Path
	// FFmpeg is the ffmpeg program: it decodes where the helper is missing, and writes annotated videos.
	FFmpeg Path
	// PhotoCache is the folder in which a search has a folder of its own for what photos of people gave: embeddings, and portraits
	// if asked for. Unset, it is the user's own cache folder; Off keeps nothing.
	PhotoCache Path
	// Sandbox says whether decoders may run where the kernel cannot confine them fully.
	Sandbox Sandbox

	// MaxVideoSize and MaxVideoLength bound one video, in bytes and in time.
	MaxVideoSize   Size
	MaxVideoLength Duration
	// MaxVideoPixels bounds one frame of video, in pixels: memory and time of a decoder grow with it.
	MaxVideoPixels Count
	// VideoKinds are the kinds of video files that are read: fewer let hostile files reach less of the decoder.
	VideoKinds Kinds
	// RawRate is the frames per second of streams without a container, which do not say it; 0: they are not read.
	RawRate FrameRate
	// MaxPhotoSize bounds the file of one photo to enrol, in bytes.
	MaxPhotoSize Size
}

// Off is the PhotoCache that keeps nothing.
const Off Path = "off"

// Default is what holds where nothing is set. Threshold, sizes and lengths are Amazon Rekognition's own limits.
func Default() Config {
	return Config{
		Threshold:      80,
		SampleRate:     5, // frames a second
		MaxFaces:       10,
		Workers:        0, // one per CPU core
		Sandbox:        Strict,
		MaxVideoSize:   10 * 1024 * mebibyte, // AWS's "10 GB", to the byte
		MaxVideoLength: Duration(6 * time.Hour),
		MaxVideoPixels: 36_000_000, // 8192 x 4320: the largest picture that H.264 level 6.2 knows
		VideoKinds:     allKinds,
		MaxPhotoSize:   15 * megabyte,
	}
}

// The ranges of the settings that are numbers, inclusive.
const (
	maxSampleRate = 60   // frames a second: more than almost any video has
	maxFaces      = 4096 // Rekognition's own limit of MaxFaces
	maxWorkers    = 1024
	maxPixels     = 1 << 28 // 16384 x 16384
	maxPhotoSize  = 1 * gigabyte
)

// Validate says what is wrong with the settings, all of it at once, each with the key that it is set by.
func (c *Config) Validate() error {
	return errors.Join(
		checkThreshold(c.Threshold),
		check("sample-rate", float64(c.SampleRate), minSampleRate, maxSampleRate),
		check("max-faces", float64(c.MaxFaces), 1, maxFaces),
		check("workers", float64(c.Workers), 0, maxWorkers),
		check("max-video-size", float64(c.MaxVideoSize), 1, float64(maxSize)),
		check("max-video-length", time.Duration(c.MaxVideoLength).Seconds(), 0.001, maxLength.Seconds()),
		check("max-video-pixels", float64(c.MaxVideoPixels), 1, maxPixels),
		check("max-photo-size", float64(c.MaxPhotoSize), 1, float64(maxPhotoSize)),
		checkSandbox(c.Sandbox),
	)
}

// check is written so that NaN fails too.
func check(key string, value, low, high float64) error {
	if value >= low && value <= high {
		return nil
	}
	return fmt.Errorf("%s is %v; it must lie between %v and %v", key, value, low, high)
}

func checkThreshold(t Threshold) error {
	if t == AutoThreshold {
		return nil
	}
	return check("threshold", float64(t), 0, 100)
}

func checkSandbox(s Sandbox) error {
	if s == Strict || s == Relaxed {
		return nil
	}
	return fmt.Errorf("sandbox is %q; it must be %q or %q", string(s), Strict, Relaxed)
}
