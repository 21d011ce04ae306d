package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	c := Default()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if c.Threshold != 80 || c.SampleRate != 5 {
		t.Errorf("threshold %v and sample rate %v; the documented defaults are 80 and 5", c.Threshold, c.SampleRate)
	}
}

func TestValidateNamesTheKey(t *testing.T) {
	t.Parallel()
	for key, spoil := range map[string]func(*Config){
		"threshold":        func(c *Config) { c.Threshold = Threshold(math.NaN()) },
		"sample-rate":      func(c *Config) { c.SampleRate = 0 },
		"max-faces":        func(c *Config) { c.MaxFaces = 4097 },
		"workers":          func(c *Config) { c.Workers = -1 },
		"max-video-size":   func(c *Config) { c.MaxVideoSize = 0 },
		"max-video-length": func(c *Config) { c.MaxVideoLength = -1 },
		"max-video-pixels": func(c *Config) { c.MaxVideoPixels = 0 },
		"max-photo-size":   func(c *Config) { c.MaxPhotoSize = 2 * gigabyte },
		"sandbox":          func(c *Config) { c.Sandbox = "none" },
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			c := Default()
			spoil(&c)
			err := c.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), key+" is ") {
				t.Errorf("got %v, want an error that begins with the key", err)
			}
		})
	}
}

func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, in, out string // out is empty where in must be refused
	}{
		{"threshold", "92.5", "92.5"},
		{"threshold", "80%", "80"},
		{"threshold", "-1", ""},
		{"threshold", "100.1", ""},
		{"threshold", "NaN", ""},
		{"threshold", "", ""},
		{"sample-rate", "0.5", "0.5"},
		{"sample-rate", "0", ""},
		{"sample-rate", "61", ""},
		{"sample-rate", "Inf", ""},
		{"workers", "4", "4"},
		{"workers", "-4", ""},
		{"workers", "4294967296", ""},
		{"max-video-size", "2GiB", "2GiB"},
		{"max-video-size", "1.5 GB", "1500MB"},
		{"max-video-size", "10gb", "10GB"},
		{"max-video-size", "10 parsecs", ""},
		{"max-video-size", "1e300GB", ""},
		{"max-video-size", "-5MB", ""},
		{"max-video-size", "0.1", ""},
		{"max-video-length", "90m", "1h30m"},
		{"max-video-length", "6h", "6h"},
		{"max-video-length", "10s", "10s"},
		{"max-video-length", "100h0m10s", "100h0m10s"},
		{"max-video-length", "0s", ""},
		{"max-video-length", "1000h", ""},
		{"sandbox", "relaxed", "relaxed"},
		{"sandbox", "off", ""},
		{"models", "/opt/pack", "/opt/pack"},
		{"models", "a\x00b", ""},
	} {
		t.Run(c.key+"="+c.in, func(t *testing.T) {
			t.Parallel()
			config := Default()
			s := find(t, &config, c.key)
			err := s.Value.UnmarshalText([]byte(c.in))
			if (err != nil) != (c.out == "") {
				t.Fatalf("error %v", err)
			}
			if err == nil && s.Text() != c.out {
				t.Errorf("written as %q, want %q", s.Text(), c.out)
			}
			if err := config.Validate(); err != nil {
				t.Errorf("what was read is not valid: %v", err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"SPOTTER_THRESHOLD": "95", "SPOTTER_WORKERS": "many", "SPOTTER_MAX_VIDEO_LENGTH": "2h", "SPOTTER_MODELS": "",
		"SPOTTER_SANDBOX": "no",
	}
	c := Default()
	c.Models = "/kept"
	err := c.Load(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	if err == nil || !strings.Contains(err.Error(), "SPOTTER_WORKERS") || !strings.Contains(err.Error(), "SPOTTER_SANDBOX") {
		t.Errorf("error %v does not name both bad variables", err)
	}
	if c.Threshold != 95 || c.MaxVideoLength != Duration(2*time.Hour) || c.Models != "/kept" {
		t.Errorf("loaded %+v", c)
	}
}

// Every value writes itself so that it reads back as itself.
func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := Default()
		c.Threshold = Threshold(rapid.Float64Range(0, 100).Draw(t, "threshold"))
		c.SampleRate = Rate(rapid.Float64Range(minSampleRate, maxSampleRate).Draw(t, "rate"))
		c.MaxFaces = Count(rapid.IntRange(1, maxFaces).Draw(t, "faces"))
		c.MaxVideoSize = Size(rapid.Int64Range(1, int64(maxSize)).Draw(t, "size"))
		c.MaxVideoLength = Duration(rapid.Int64Range(int64(time.Millisecond), int64(maxLength)).Draw(t, "length"))
		back := Default()
		written := c.Settings()
		for i, s := range back.Settings() {
			if err := s.Value.UnmarshalText([]byte(written[i].Text())); err != nil {
				t.Fatalf("%s: %v", s.Key, err)
			}
		}
		if back != c {
			t.Fatalf("read back %+v, want %+v", back, c)
		}
	})
}

func FuzzSettings(f *testing.F) {
	for _, seed := range []string{"80", "10GB", "6h", "strict", "1e9", "-0", "0x1p-2", " 5 ", "１０"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := Default()
		for _, s := range c.Settings() {
			if err := s.Value.UnmarshalText([]byte(text)); err != nil {
				continue
			}
			if s.Key == "max-faces" || s.Key == "max-video-pixels" || s.Key == "workers" || s.Key == "max-photo-size" {
				continue // their ranges are Validate's to say
			}
			if err := c.Validate(); err != nil && strings.Contains(err.Error(), s.Key) {
				t.Errorf("%s read %q and then is not valid: %v", s.Key, text, err)
			}
		}
	})
}

func find(t *testing.T, c *Config, key string) Setting {
	t.Helper()
	for _, s := range c.Settings() {
		if s.Key == key {
			return s
		}
	}
	t.Fatalf("no setting %q", key)
	return Setting{}
}
