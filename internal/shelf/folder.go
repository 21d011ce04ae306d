package shelf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Files is where collections are kept in files, beside the store.
type Files struct {
	// Folder is made when it is needed, for its owner only. The zero Files keeps nothing.
	Folder string
	// None destroys what was kept, and keeps nothing.
	None bool
	// Least is how many faces a collection must have for a file to be worth it.
	Least int
	// Room says whether so many bytes more may be written there.
	Room func(bytes int64) bool
}

const (
	fileSuffix = ".collection"
	// settle is how long a collection rests before its file is written again: after the file before, and after faces were deleted,
	// as more often follow.
	settle = 10 * time.Minute
	// A file is written again when this many changes, or this share of the faces, have come since: what is read from the store after
	// the file then takes a small part of what the file takes.
	fileBehind, fileShare = 10_000, 10
	// keepFor is how long files are begun at one go: whoever keeps them does nothing else meanwhile, and faces may be deleted.
	keepFor = 20 * time.Second
	// fileAge is the age at which a file is written again although nothing has changed: the store knows each for a month.
	fileAge = 14 * 24 * time.Hour
	// abandoned is the age at which an unfinished file is nobody's any more: none takes as long to write. One from before this
	// process is an earlier one's, which was killed: a folder is of one process only.
	abandoned = time.Hour
)

// kept is what is in the file of an album, and when the store was told of it, or asked for it, last.
type kept struct {
	there  bool
	number int64
	faces  int
	known  time.Time
}

func (s *Shelf) path(serial int64) string {
	return filepath.Join(s.config.Files.Folder, strconv.FormatInt(serial, 10)+fileSuffix)
}

// fromFile makes a state of a collection's file and of what has changed since. Without a file that is of use it gives nil: then all is
// read from the store.
func (s *Shelf) fromFile(ctx context.Context, a *album, c Collection) (*state, error) {
	if s.config.Files.Folder == "" || s.config.Files.None {
		return nil, nil
	}
	d, err := s.draft(a.serial)
	if err != nil {
		return nil, err
	}
	if err = d.readFile(ctx, a, c); err == nil {
		a.faces, a.users = d.faces, d.users
		return s.publish(a, d), nil
	}
	_, _ = d.faces.Close(), d.users.Close()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case ctx.Err() != nil, !errors.Is(err, errFile):
		return nil, err
	}
	s.config.Log.LogAttrs(ctx, slog.LevelWarn, "a collection's file is of no use: its faces are read from the database",
		slog.String("collection_id", c.Name), slog.Any("error", err))
	s.discard(a)
	return nil, nil
}

// readFile fills an empty draft with its collection's file and what has changed since. What is the file's fault is an errFile.
func (d *draft) readFile(ctx context.Context, a *album, c Collection) error {
	s := d.shelf
	disk, err := os.Open(s.path(d.serial))
	if err != nil {
		return fmt.Errorf("%w: %w", errFile, err)
	}
	defer disk.Close() //nolint:errcheck // it was only read
	f, err := openFile(ctx, disk, d.serial)
	if err != nil {
		return err
	}
	known, err := s.config.Feed.Marked(ctx, d.serial, f.mark)
	if err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("%w: the database does not know of it", errFile)
	}
	if err = f.fill(d); err != nil {
		return err
	}
	if size := int64(d.faces.Len()); c.Faces-size > size {
		return fmt.Errorf("%w: the collection has %d faces, and it %d", errFile, c.Faces, size) // to follow takes longer than to begin anew
	}
	s.mu.Lock()
	a.file = kept{true, d.number, d.faces.Len(), s.config.Now()}
	s.mu.Unlock()
	switch err = d.follow(ctx); {
	case errors.Is(err, errLost):
		return fmt.Errorf("%w: %w", errFile, err)
	case err == nil && d.missing() != 0:
		return fmt.Errorf("%w: %d faces are missing", errFile, d.missing())
	}
	return err
}

// discard destroys the file of an album, side by side with whatever comes next.
func (s *Shelf) discard(a *album) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discardLocked(a)
}

func (s *Shelf) discardLocked(a *album) {
	a.file = kept{}
	if s.config.Files.Folder == "" {
		return
	}
	path := s.path(a.serial)
	// It loses its name at once: another one may be written meanwhile.
	old, err := setAside(path)
	if old != "" {
		s.flights.Go(func() { s.fileLeft(path, destroy(old)) })
	}
	s.fileLeft(path, err)
}

// fileGone destroys a file, and tells of one that cannot be.
func (s *Shelf) fileGone(path string) { s.fileLeft(path, wipe(path)) }

// fileLeft tells of a file that cannot be destroyed.
func (s *Shelf) fileLeft(path string, err error) {
	if err != nil {
		s.config.Log.LogAttrs(context.Background(), slog.LevelError, "a file with faces that may have been deleted cannot be removed: remove it",
			slog.String("file", path), slog.Any("error", err))
	}
}

// wipe overwrites a file and removes it. That there is none is no error.
func wipe(path string) error {
	old, err := setAside(path)
	if old == "" {
		return err
	}
	return destroy(old)
}

// setAside gives a file another name, by which the next [Shelf.KeepFiles] finds it if this process ends before it is destroyed; empty if
// there is no file.
func setAside(path string) (old string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".old-*")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_ = f.Close() // it is only a name
	if err = os.Rename(path, f.Name()); err == nil {
		return f.Name(), nil
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return "", err
}

// destroy overwrites a file that was set aside, and removes it.
func destroy(old string) error {
	err := overwrite(old)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // KeepFiles has found it, and does this
	}
	if gone := os.Remove(old); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// overwrite fills a file with zeros.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0) //nolint:gosec // in the folder of files
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // Sync has said what went wrong
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, fileBuffer)
	for left := info.Size(); left > 0; left -= fileBuffer {
		if _, err := f.Write(zeros[:min(left, fileBuffer)]); err != nil {
			return err
		}
	}
	return f.Sync()
}

// KeepFiles writes files of the collections in memory that have none, or one from long ago, and removes those that hold what may
// have been deleted: of collections that are not among all, by serial, or that have changed since and are not in memory. To be
// called now and then; it does nothing without [Files].
func (s *Shelf) KeepFiles(ctx context.Context, all []Collection) error {
	if s.config.Files.Folder == "" {
		return nil
	}
	numbers := make(map[int64]int64, len(all))
	for _, c := range all {
		numbers[c.Serial] = c.Number
	}
	failed, began := s.tidyFiles(numbers), s.config.Now()
	for _, c := range all {
		if s.config.Now().Sub(began) > keepFor {
			break // the next time
		}
		if a, x := s.due(c.Serial); x != nil {
			failed = errors.Join(failed, s.keepFile(ctx, a, x))
		}
	}
	return failed
}

// tidyFiles removes what KeepFiles says.
func (s *Shelf) tidyFiles(numbers map[int64]int64) error {
	list, err := os.ReadDir(s.config.Files.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, f := range list {
		path := filepath.Join(s.config.Files.Folder, f.Name())
		if name, ok := strings.CutSuffix(f.Name(), fileSuffix); ok {
			if serial, err := strconv.ParseInt(name, 10, 64); err == nil && !s.ofUse(path, serial, numbers) {
				s.fileGone(path)
			}
		} else if info, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), ".") &&
			(info.ModTime().Before(s.began) || s.config.Now().Sub(info.ModTime()) > abandoned) {
			s.fileGone(path)
		}
	}
	return nil
}

// ofUse says whether a file is one that the collection in memory knows of, or has the collection as it is.
func (s *Shelf) ofUse(path string, serial int64, numbers map[int64]int64) bool {
	if s.config.Files.None {
		return false
	}
	s.mu.Lock()
	a := s.albums[serial]
	loaded, known := a != nil && a.now != nil, a != nil && (a.file.there || a.flight != nil)
	s.mu.Unlock()
	if loaded || known {
		return known
	}
	h, err := headOf(path)
	number, there := numbers[serial]
	return err == nil && there && h.number == number
}

// due gives a collection's state, which the caller then holds, if it is to be written.
func (s *Shelf) due(serial int64) (*album, *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, now := s.albums[serial], s.config.Now()
	if s.config.Files.None || s.closed || a == nil || a.now == nil || a.now.missing != 0 || len(a.uncoded) > 0 || a.now.size < s.config.Files.Least ||
		now.Sub(a.written) < settle || now.Sub(a.lost) < settle {
		return nil, nil
	}
	most := max(fileBehind, a.now.size/fileShare)
	if a.file.there && a.now.number-a.file.number <= int64(most) && a.now.size-a.file.faces <= most && now.Sub(a.file.known) < fileAge {
		return nil, nil
	}
	a.written = now // or tried
	a.now.holders++
	return a, a.now
}

// keepFile writes a state, on which there is a hold, and gives it back.
func (s *Shelf) keepFile(ctx context.Context, a *album, x *state) (err error) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.letGo(x)
	}()
	if need := a.sizeOf(s); !s.config.Files.Room(need) {
		return fmt.Errorf("collection %s in a file of %d MB: too little room on the disk", a.name, need/1e6)
	}
	if err := s.putFile(ctx, a.serial, x); err != nil {
		return fmt.Errorf("collection %s in a file: %w", a.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a.file = kept{true, x.number, x.size, s.config.Now()}
	if a.deleted || a.goneAt > x.number { // meanwhile
		s.discardLocked(a)
	}
	return nil
}

// sizeOf is how large the file of an album becomes, about.
func (a *album) sizeOf(s *Shelf) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.bytes
}

// putFile writes a state under a hidden name, tells the store of it, and gives it its name.
func (s *Shelf) putFile(ctx context.Context, serial int64, x *state) (err error) {
	if err = os.MkdirAll(s.config.Files.Folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.config.Files.Folder, ".new-*") // for its owner only
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), wipe(f.Name()))
		}
	}()
	mark, err := writeFile(ctx, f, serial, x)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.config.Feed.Mark(ctx, serial, mark)
	}
	if err == nil {
		err = wipe(s.path(serial)) // the file before: what is only replaced stays on the disk
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path(serial))
	}
	if err == nil {
		_ = f.Close() // Sync has said what went wrong
	}
	return err
}
