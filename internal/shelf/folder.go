package shelf

import (
	"cmp"
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
	info, err := disk.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", errFile, err)
	}
	if err = f.fill(d, info.Size()); err != nil {
		return err
	}
	off := d.off()
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
	case err == nil && (d.strayed(off, f.digest.Without) || d.strayed(0, 0)):
		return fmt.Errorf("%w: it has other faces than the database", errFile)
	}
	return err
}

// errUnwanted ends the writing of a file that is to be destroyed.
var errUnwanted = errors.New("the collection has changed while its file was being written")

// writing is a file in the making, of a state of an album, on which it holds.
type writing struct {
	*album
	*state
	cancel context.CancelCauseFunc
}

// discard destroys the file of an album, also one that is being written, side by side with whatever comes next.
func (s *Shelf) discard(a *album) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discardLocked(a)
}

func (s *Shelf) discardLocked(a *album) {
	a.file = kept{}
	if s.writing != nil && s.writing.serial == a.serial {
		s.writing.cancel(errUnwanted)
	}
	if s.config.Files.Folder != "" {
		s.fileGone(s.path(a.serial))
	}
}

// fileGone destroys a file, and tells of one that cannot be. The file loses its name at once, as another one may be written meanwhile.
// What takes long is done later, one file after another. The caller holds the lock.
func (s *Shelf) fileGone(path string) {
	old, err := s.setAside(path)
	s.fileLeft(path, err)
	if old == "" {
		return
	}
	s.flights.Go(func() {
		s.destroying.Lock()
		defer s.destroying.Unlock()
		s.fileLeft(path, s.destroy(old))
	})
}

// fileLeft tells of a file that cannot be destroyed.
func (s *Shelf) fileLeft(path string, err error) {
	if err != nil {
		s.config.Log.LogAttrs(context.Background(), slog.LevelError, "a file with faces that may have been deleted cannot be removed: remove it",
			slog.String("file", path), slog.Any("error", err))
	}
}

// wipe overwrites a file and removes it. That there is none is no error.
func (s *Shelf) wipe(path string) error {
	s.mu.Lock()
	old, err := s.setAside(path)
	s.mu.Unlock()
	if old == "" {
		return err
	}
	return s.destroy(old)
}

// setAside gives a file another name, by which [Shelf.TidyFiles] of a later process finds it if this one ends before it is destroyed;
// empty if there is no file. The caller holds the lock.
func (s *Shelf) setAside(path string) (old string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".old-*")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	_ = f.Close() // it is only a name
	if err = os.Rename(path, f.Name()); err == nil {
		s.busy[f.Name()] = true
		return f.Name(), nil
	}
	err = errors.Join(err, os.Remove(f.Name()))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return "", err
}

// destroy overwrites a file that was set aside, and removes it.
func (s *Shelf) destroy(old string) error {
	defer s.release(old)
	return errors.Join(overwrite(old), os.Remove(old))
}

// release lets go of an unfinished file.
func (s *Shelf) release(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, path)
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

// TidyFiles removes files that hold what may have been deleted: of collections that are not among all, by serial, or that have changed
// since and are not in memory. To be called when memory has followed the store; it takes no longer where files are large.
func (s *Shelf) TidyFiles(all []Collection) error {
	if s.config.Files.Folder == "" {
		return nil
	}
	known := make(map[int64]Collection, len(all))
	for _, c := range all {
		known[c.Serial] = c
	}
	list, err := os.ReadDir(s.config.Files.Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.stopWriting(known)
	for _, f := range list {
		path := filepath.Join(s.config.Files.Folder, f.Name())
		if name, ok := strings.CutSuffix(f.Name(), fileSuffix); ok {
			if serial, err := strconv.ParseInt(name, 10, 64); err == nil {
				s.tidyFile(path, serial, known)
			}
		} else if info, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), ".") &&
			(info.ModTime().Before(s.began) || s.config.Now().Sub(info.ModTime()) > abandoned) {
			s.tidyUnfinished(path)
		}
	}
	return nil
}

// stopWriting ends the writing of a file that nobody keeps from having what was deleted: of a collection that has changed and is not in
// memory any more, or again.
func (s *Shelf) stopWriting(all map[int64]Collection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.writing
	if w == nil || s.albums[w.serial] == w.album {
		return
	}
	if c, there := all[w.serial]; s.albums[w.serial] != nil || !there || w.number != c.Number || w.digest != c.Digest {
		w.cancel(errUnwanted)
	}
}

// tidyFile removes the file of a collection, unless it is one that the collection in memory knows of, or has the collection as it is.
func (s *Shelf) tidyFile(path string, serial int64, all map[int64]Collection) {
	s.mu.Lock()
	ofUse, known := s.inUse(serial)
	s.mu.Unlock()
	if !known {
		h, err := headOf(path)
		c, there := all[serial]
		ofUse = err == nil && there && h.number == c.Number && h.digest == c.Digest
	}
	if ofUse {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ofUse, _ = s.inUse(serial); !ofUse { // by now
		s.fileGone(path)
	}
}

// inUse says whether a file is one that the collection in memory knows of, or is about to, and whether memory knows. The caller holds the
// lock.
func (s *Shelf) inUse(serial int64) (ofUse, known bool) {
	a := s.albums[serial]
	switch {
	case s.config.Files.None:
		return false, true
	case s.writing != nil && s.writing.serial == serial:
		return true, true
	case a == nil:
		return false, false
	}
	ofUse = a.file.there || a.flight != nil
	return ofUse, ofUse || a.now != nil
}

// tidyUnfinished removes what was left of a file.
func (s *Shelf) tidyUnfinished(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy[path] {
		s.fileGone(path)
	}
}

// KeepFiles writes files of the collections in memory that have none, or one from long ago, one after another, which may take minutes.
// To be called now and then; it does nothing without [Files], and while another call is at it. [Shelf.Close] ends it.
func (s *Shelf) KeepFiles(ctx context.Context) (failed error) {
	if s.config.Files.Folder == "" || s.config.Files.None || !s.keeping.TryLock() {
		return nil
	}
	defer s.keeping.Unlock()
	for _, serial := range s.Held() {
		failed = errors.Join(failed, s.keepFile(ctx, serial))
	}
	return failed
}

// keepFile writes a file of a collection, if that is to be done. One that is unwanted by then is destroyed.
func (s *Shelf) keepFile(ctx context.Context, serial int64) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := s.due(serial, cancel)
	if w == nil {
		return nil
	}
	defer s.flights.Done()
	if need := w.sizeOf(s); s.config.Files.Room(need) {
		err = s.putFile(ctx, serial, w.state)
	} else {
		err = fmt.Errorf("%d MB: too little room on the disk", need/1e6)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = nil
	s.letGo(w.state)
	now := s.albums[serial]
	switch {
	case errors.Is(context.Cause(ctx), errUnwanted), err == nil && now != nil && now != w.album:
		s.discardLocked(cmp.Or(now, w.album))
		return nil
	case err == nil:
		w.file = kept{true, w.number, w.size, s.config.Now()}
		return nil
	case s.closed:
		return nil
	}
	return fmt.Errorf("collection %s in a file: %w", w.name, err)
}

// due begins to write a collection's state, if that is to be done: a hold on it, and a flight, which the caller ends.
func (s *Shelf) due(serial int64, cancel context.CancelCauseFunc) *writing {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, now := s.albums[serial], s.config.Now()
	if s.closed || a == nil || a.now == nil || a.now.doubtful() || len(a.uncoded) > 0 || a.now.size < s.config.Files.Least ||
		a.now.number < a.goneAt || now.Sub(a.written) < settle || now.Sub(a.lost) < settle {
		return nil
	}
	most := max(fileBehind, a.now.size/fileShare)
	if a.file.there && a.now.number-a.file.number <= int64(most) && a.now.size-a.file.faces <= most && now.Sub(a.file.known) < fileAge {
		return nil
	}
	a.written = now // or tried
	a.now.holders++
	s.flights.Add(1)
	s.writing = &writing{album: a, state: a.now, cancel: cancel}
	return s.writing
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
	f, err := s.newFile()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), s.wipe(f.Name()))
		}
		s.release(f.Name())
	}()
	mark, err := writeFile(ctx, f, serial, x)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = s.config.Feed.Mark(ctx, serial, mark)
	}
	if err == nil {
		err = s.wipe(s.path(serial)) // the file before: what is only replaced stays on the disk
	}
	if err == nil {
		err = os.Rename(f.Name(), s.path(serial))
	}
	if err == nil {
		_ = f.Close() // Sync has said what went wrong
	}
	return err
}

// newFile makes an unfinished file, for its owner only.
func (s *Shelf) newFile() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.CreateTemp(s.config.Files.Folder, ".new-*")
	if err == nil {
		s.busy[f.Name()] = true
	}
	return f, err
}
