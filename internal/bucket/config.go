package bucket

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config is what [New] needs.
type Config struct {
	// Buckets maps the names that callers use to where the objects are. The name "*" stands for all other names and can
	// only be an [S3] source: callers then choose among all buckets that its credentials can read.
	Buckets map[string]Source
	// Cache and Limits, see [DefaultCache] and [DefaultLimits].
	Cache  Cache
	Limits Limits
	// Log tells of downloads; nil for silence.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Cache says where the downloads of one process are kept and how many. A folder may be shared by several processes.
type Cache struct {
	// Folder is for downloads; it is made if there is none. Its disk should hold several of the largest videos.
	Folder string
	// MaxBytes bounds all downloads together, those in use included. Raising it lets more videos be worked on at once,
	// lowering it spares the disk.
	MaxBytes int64
	// MinFree is how many bytes of the disk are left free.
	MinFree int64
	// Idle is how long a download is kept after its last use. Raising it saves downloads when a video's segments are far
	// apart, lowering it frees the disk sooner; 0 keeps nothing.
	Idle time.Duration
}

// DefaultCache keeps downloads in a folder: 100 GB of them, ten of the largest videos that Rekognition takes (10 GB);
// 2 GB of the disk are left free.
func DefaultCache(folder string) Cache {
	return Cache{Folder: folder, MaxBytes: 100 << 30, MinFree: 2 << 30, Idle: 10 * time.Minute}
}

// Limits bound what objects and servers may cost.
type Limits struct {
	// Object is the largest object that is opened, in bytes.
	Object int64
	// Downloads is how many run at the same time from each source; others wait. One saturates most links; several help where a
	// server limits each. A slow server keeps only its own waiting.
	Downloads int
	// Attempts is how often a request is tried, and how often in a row a transfer may break off without getting on.
	Attempts int
	// Backoff is the longest wait between two attempts. The first is a fraction of a second, each next one longer.
	Backoff time.Duration
	// Stall is how long a server may send nothing before the connection counts as broken.
	Stall time.Duration
	// Pace is how long a server may take for each MiB of a download before the connection counts as broken.
	Pace time.Duration
}

// DefaultLimits takes objects of up to 10 GB, Rekognition's limit for stored videos. Four downloads at a time and five
// attempts up to ten seconds apart ride out a server's restart; what takes longer is for the caller to try again later. A MiB a
// minute is a tenth of what a slow mobile link does.
func DefaultLimits() Limits {
	return Limits{Object: 10 << 30, Downloads: 4, Attempts: 5, Backoff: 10 * time.Second, Stall: 30 * time.Second, Pace: time.Minute}
}

// anyBucket is the name that stands for all others.
const anyBucket = "*"

func (c *Config) validate() error {
	var errs []error
	for name, s := range c.Buckets {
		if s == nil {
			errs = append(errs, fmt.Errorf("bucket %q has no source", name))
		}
		if name != anyBucket && !validBucket(name) {
			errs = append(errs, fmt.Errorf("bucket name %q: it needs 3 to 255 letters, digits, '.', '-' or '_', "+
				"and begins with a letter or digit", name))
		}
	}
	if c.Now == nil {
		errs = append(errs, errors.New("the clock is missing"))
	}
	return errors.Join(append(errs, c.Limits.validate())...)
}

func (l *Limits) validate() error {
	switch {
	case l.Object <= 0:
		return fmt.Errorf("largest object of %d bytes: it must be positive", l.Object)
	case l.Downloads < 1:
		return fmt.Errorf("%d downloads at a time: at least 1 is needed", l.Downloads)
	case l.Attempts < 1:
		return fmt.Errorf("%d attempts: at least 1 is needed", l.Attempts)
	case l.Backoff <= 0 || l.Stall <= 0 || l.Pace <= 0:
		return fmt.Errorf("backoff %v, stall %v and pace %v: all must be positive", l.Backoff, l.Stall, l.Pace)
	}
	return nil
}

func (c *Cache) validate() error {
	switch {
	case c.Folder == "":
		return errors.New("downloads need a folder")
	case c.MaxBytes <= 0 || c.MinFree < 0:
		return fmt.Errorf("downloads of %d bytes with %d left free: the first must be positive, the second not negative",
			c.MaxBytes, c.MinFree)
	case c.Idle < 0:
		return fmt.Errorf("downloads kept for %v: it must not be negative", c.Idle)
	}
	return nil
}

// validBucket says whether a name can be a bucket's: the pattern of Rekognition's S3Bucket, which is wider than S3's own
// today but takes the buckets of old. A leading dot is out, so that ".." is.
func validBucket(name string) bool {
	return len(name) >= 3 && len(name) <= 255 && isAlphanumeric(rune(name[0])) &&
		!strings.ContainsFunc(name, func(r rune) bool { return !isAlphanumeric(r) && r != '.' && r != '-' && r != '_' })
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
