package bucket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// Buckets gives access to the objects of all configured buckets. Errors are [*Error], but for those of a context.
type Buckets struct {
	named  map[string]backend
	any    backend // nil if only named buckets are known
	cache  *cache  // nil if nothing is downloaded
	limits Limits
}

// Source is where a bucket's objects are: a [Folder] or an [S3].
type Source interface {
	// connect prepares access without touching disk or network, but for files that the configuration names.
	connect(name string, env *environment) (backend, error)
}

// environment is what all sources share.
type environment struct {
	limits Limits
	log    *slog.Logger
	// downloads gives the cache, which is made when the first source needs it.
	downloads func() (*cache, error)
}

// backend is one bucket, or all of a server's. Objects have been checked.
type backend interface {
	stat(ctx context.Context, o Object) (Info, error)
	read(ctx context.Context, o Object, limit int64) ([]byte, error)
	open(ctx context.Context, o Object, pinned Info) (*File, error)
	check(ctx context.Context) error
	close() error
}

// New prepares access to buckets. It does not touch them: a folder may be mounted later, a server may be down for now;
// [Buckets.Check] looks.
func New(cfg Config) (*Buckets, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure buckets: %w", err)
	}
	b := &Buckets{named: map[string]backend{}, limits: cfg.Limits}
	env := &environment{limits: cfg.Limits, log: cfg.Log, downloads: b.makeCache(&cfg)}
	if env.log == nil {
		env.log = slog.New(slog.DiscardHandler)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Buckets)) {
		s, err := cfg.Buckets[name].connect(name, env)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("configure bucket %s: %w", name, err), b.Close())
		}
		if name == anyBucket {
			b.any = s
		} else {
			b.named[name] = s
		}
	}
	return b, nil
}

func (b *Buckets) makeCache(cfg *Config) func() (*cache, error) {
	return sync.OnceValues(func() (*cache, error) {
		if err := cfg.Cache.validate(); err != nil {
			return nil, err
		}
		c, err := newCache(cfg.Cache, cfg.Now)
		b.cache = c
		return c, err
	})
}

// Stat says what state an object is in.
func (b *Buckets) Stat(ctx context.Context, o Object) (Info, error) {
	s, err := b.find(ctx, o)
	if err != nil {
		return Info{}, err
	}
	return s.stat(ctx, o)
}

// Read is the content of an object of at most limit bytes, in one state that it had at some time during the call;
// [TooLarge] if it has more.
func (b *Buckets) Read(ctx context.Context, o Object, limit int64) ([]byte, error) {
	s, err := b.find(ctx, o)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, o, limit)
}

// Open is a local file for the content that the object had when it was pinned by [Buckets.Stat]. What is to be read of it must be there
// first: see [File.Fetch], which says [Changed] if that content is no longer to be had. Close the file.
func (b *Buckets) Open(ctx context.Context, o Object, pinned Info) (*File, error) {
	s, err := b.find(ctx, o)
	if err != nil {
		return nil, err
	}
	if pinned.Size > b.limits.Object {
		return nil, tooLarge(o, pinned.Size, b.limits.Object)
	}
	if pinned.Size < 0 || pinned.ETag == "" {
		return nil, fail(Invalid, nil, "The state of object %q is not one that was asked for before.", o.Key)
	}
	return s.open(ctx, o, pinned)
}

// Names lists the configured buckets by name; "*" is among them if other names are taken too.
func (b *Buckets) Names() []string {
	names := slices.Sorted(maps.Keys(b.named))
	if b.any != nil {
		names = append(names, anyBucket)
	}
	return names
}

// Check looks whether every bucket can be reached, and downloads be kept, at this moment. The error joins one for each
// that cannot, and names it.
func (b *Buckets) Check(ctx context.Context) error {
	names := b.Names()
	errs := make([]error, len(names)+1)
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { errs[i] = b.checkOne(ctx, name) })
	}
	if b.cache != nil {
		errs[len(names)] = b.cache.check()
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (b *Buckets) checkOne(ctx context.Context, name string) error {
	s := b.any
	if name != anyBucket {
		s = b.named[name]
	}
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("check bucket %s: %w", name, err)
	}
	return nil
}

// Usage is what downloads take at this moment; zero without sources that download.
func (b *Buckets) Usage() Usage {
	if b.cache == nil {
		return Usage{}
	}
	return b.cache.usage()
}

// Fetched is how many bytes of objects have been downloaded to files since the start.
func (b *Buckets) Fetched() int64 {
	if b.cache == nil {
		return 0
	}
	return b.cache.fetched.Load()
}

// Close ends all downloads and waits for it. Files that are open stay so until they are closed. It may be called twice.
func (b *Buckets) Close() error {
	if b.cache != nil {
		b.cache.close()
	}
	errs := make([]error, 0, len(b.named)+1)
	for _, s := range b.named {
		errs = append(errs, s.close())
	}
	if b.any != nil {
		errs = append(errs, b.any.close())
	}
	return errors.Join(errs...)
}

// find is the backend of an object whose name may be one.
func (b *Buckets) find(ctx context.Context, o Object) (backend, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if !validBucket(o.Bucket) {
		return nil, fail(Invalid, nil, "The bucket's name %q is not one.", o.Bucket)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if s, ok := b.named[o.Bucket]; ok {
		return s, nil
	}
	if b.any == nil {
		return nil, fail(NotFound, nil, "There is no bucket %q: its name must be one of the server's configuration.", o.Bucket)
	}
	return b.any, nil
}

func tooLarge(o Object, size, limit int64) error {
	return fail(TooLarge, nil, "Object %q has %d bytes; at most %d are taken.", o.Key, size, limit)
}
