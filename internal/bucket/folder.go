package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder makes the files below a folder the objects of a bucket: key "a/b.mp4" is file b.mp4 in folder a. Links that stay
// within the folder are followed.
type Folder struct {
	// Path of the folder; a relative one is resolved when the buckets are made.
	Path string
}

func (f Folder) connect(name string, _ *environment) (backend, error) {
	if name == anyBucket {
		return nil, errors.New("a folder needs a name of its own: only an S3 source can stand for all buckets")
	}
	if f.Path == "" {
		return nil, errors.New("the folder's path is empty")
	}
	path, err := filepath.Abs(f.Path)
	if err != nil {
		return nil, fmt.Errorf("resolve folder %s: %w", f.Path, err)
	}
	return &folder{path: path}, nil
}

// folder opens its root anew for every object, so that what is mounted, unmounted or replaced there is seen as it is.
type folder struct{ path string }

func (f *folder) stat(_ context.Context, o Object) (Info, error) {
	file, info, err := f.find(o)
	if err != nil {
		return Info{}, err
	}
	_ = file.Close() // only read
	return info, nil
}

func (f *folder) read(ctx context.Context, o Object, limit int64) ([]byte, error) {
	file, info, err := f.find(o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	if info.Size > limit {
		return nil, tooLarge(o, info.Size, limit)
	}
	data := make([]byte, info.Size)
	if _, err := io.ReadFull(file, data); err != nil && !isShort(err) {
		return nil, folderError(o, err)
	}
	if err := verify(file, o, info); err != nil {
		return nil, err
	}
	return data, context.Cause(ctx)
}

// isShort says that a file ended early: it has been cut since, which is found out by comparing its state.
func isShort(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func (f *folder) open(_ context.Context, o Object, pinned Info) (*File, error) {
	file, info, err := f.find(o)
	if err != nil {
		return nil, err
	}
	if info != pinned {
		_ = file.Close() // only read
		return nil, changed(o)
	}
	return &File{
		file:   file,
		verify: func() error { return verify(file, o, pinned) },
		done:   file.Close,
	}, nil
}

func (f *folder) check(context.Context) error {
	dir, err := os.Open(f.path)
	if err != nil {
		return fail(Unavailable, err, "The folder %s cannot be read: mount it, or correct its path or permissions.", f.path)
	}
	defer func() { _ = dir.Close() }() // only read
	if _, err := dir.Readdirnames(1); err != nil && !errors.Is(err, io.EOF) {
		return fail(Unavailable, err, "The folder %s cannot be listed: it must be a folder that may be read.", f.path)
	}
	return nil
}

func (f *folder) close() error { return nil }

// find opens an object that is a regular file.
func (f *folder) find(o Object) (*os.File, Info, error) {
	if o.Version != "" {
		return nil, Info{}, fail(NotFound, nil,
			"Bucket %q is a folder and keeps no versions: leave out the version %q.", o.Bucket, o.Version)
	}
	if o.Key == "." || !fs.ValidPath(o.Key) {
		return nil, Info{}, fail(Invalid, nil, "The object's name %q is refused: bucket %q is a folder, and a file's name may not "+
			"begin or end with \"/\" nor have \"//\", \".\" or \"..\" in it as a part of the path.", o.Key, o.Bucket)
	}
	root, err := os.OpenRoot(f.path)
	if err != nil {
		return nil, Info{}, fail(Unavailable, err, "The folder of bucket %q cannot be opened.", o.Bucket)
	}
	defer func() { _ = root.Close() }() // only read
	file, err := openRegular(root, o.Key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if within, linked := f.followed(o.Key); linked {
			file, err = openRegular(root, within)
		}
	}
	if err != nil {
		return nil, Info{}, folderError(o, err)
	}
	info, err := fileInfo(file)
	if err != nil {
		_ = file.Close() // only read
		return nil, Info{}, folderError(o, err)
	}
	return file, info, nil
}

// followed is the name, within the folder, of the file that a link of this name leads to. A root follows no link that is
// absolute or leaves the folder on its way, wherever it ends; what is found here it opens with the same care.
func (f *folder) followed(key string) (name string, within bool) {
	root, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		return "", false
	}
	end, err := filepath.EvalSymlinks(filepath.Join(f.path, filepath.FromSlash(key)))
	if err != nil {
		return "", false
	}
	name, err = filepath.Rel(root, end)
	return name, err == nil && filepath.IsLocal(name)
}

// openRegular looks before it opens, as opening some devices does things. Should the file become something else between,
// O_NONBLOCK keeps a pipe from blocking, and fileInfo refuses it.
func openRegular(root *os.Root, name string) (*os.File, error) {
	st, err := root.Stat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, errIrregular
	}
	return root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// errIrregular means a folder, a pipe, a device or the like.
var errIrregular = errors.New("not a regular file")

// fileInfo is the state of an open file.
func fileInfo(file *os.File) (Info, error) {
	st, err := file.Stat()
	if err != nil {
		return Info{}, err
	}
	if !st.Mode().IsRegular() {
		return Info{}, errIrregular
	}
	var inode uint64
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return Info{Size: st.Size(), ETag: fmt.Sprintf("%x-%x-%x", st.Size(), st.ModTime().UnixNano(), inode)}, nil
}

func verify(file *os.File, o Object, pinned Info) error {
	info, err := fileInfo(file)
	if err != nil {
		return folderError(o, err)
	}
	if info != pinned {
		return changed(o)
	}
	return nil
}

func changed(o Object) error {
	return fail(Changed, nil, "Object %q has been changed since the request: start again when it is complete.", o.Key)
}

// folderError says what an error of the file system means for an object.
func folderError(o Object, err error) error {
	errno := syscall.Errno(0)
	switch {
	case errors.Is(err, errIrregular):
		return fail(NotFound, nil, "Object %q is not a regular file: folders, pipes and devices cannot be read.", o.Key)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ELOOP),
		errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EINVAL):
		return fail(NotFound, err, "There is no object %q in bucket %q.", o.Key, o.Bucket)
	case errors.Is(err, fs.ErrPermission):
		return fail(Denied, err, "Object %q of bucket %q may not be read by the server.", o.Key, o.Bucket)
	case !errors.As(err, &errno):
		// os.Root's own refusal is the one error here that the system did not make.
		return fail(Denied, err, "Object %q is a link that leads out of bucket %q: such links are not followed.",
			o.Key, o.Bucket)
	default:
		return fail(Unavailable, err, "Object %q of bucket %q cannot be read at the moment.", o.Key, o.Bucket)
	}
}
