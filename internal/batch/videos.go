package batch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spotter-video/spotter/internal/fault"
)

// listVideos turns what was named into a list of video files: files as they are, whatever their names, and of folders
// every file below them that is named like a video, in the order of its path. A file that is named twice is searched once.
//
// Below a folder, links to files are followed and links to folders are not, as those can lead in circles. Hidden
// files and folders are passed over in silence; what else is passed over is counted by its ending. A folder that cannot be
// read costs what is in it.
func listVideos(named []string, note noteFunc) ([]string, error) {
	var list []string
	seen := map[string]bool{}
	add := func(path string) {
		if key := absolute(path); !seen[key] {
			seen[key] = true
			list = append(list, path)
		}
	}
	for _, name := range named {
		info, err := os.Stat(name)
		switch {
		case err != nil && name == "-":
			return nil, &fault.UsageError{Err: errors.New("videos are not read from standard input, as decoding needs to seek: save it to a file")}
		case err != nil:
			return nil, &fault.UsageError{Err: fmt.Errorf("video to search: %w", fault.Plain(err))}
		case !info.IsDir():
			add(name)
			continue
		}
		found, err := videosBelow(name, note)
		if err != nil {
			return nil, &fault.UsageError{Err: fmt.Errorf("videos to search: %w", fault.Plain(err))}
		}
		if len(found) == 0 {
			return nil, &fault.UsageError{Err: fmt.Errorf(
				"no videos in %s: looked for files that end in %s", name, strings.Join(videoEndings(), " "))}
		}
		for _, path := range found {
			add(path)
		}
	}
	return list, nil
}

func videosBelow(folder string, note noteFunc) ([]string, error) {
	var list []string
	skipped := map[string]int{} // by ending
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && path == folder:
			return err
		case err != nil:
			note(path, "not searched: "+fault.Reason(err), true)
			return nil
		case path != folder && hidden(e.Name()) && e.IsDir():
			return fs.SkipDir
		case e.IsDir() || hidden(e.Name()):
			return nil
		}
		// A link that leads nowhere, or to a folder, is no video.
		if kind, err := kindOf(path); err == nil && kind.IsRegular() && namedLikeVideo(path) {
			list = append(list, path)
		} else {
			skipped[strings.ToLower(filepath.Ext(path))]++
		}
		return nil
	})
	if len(skipped) > 0 && len(list) > 0 {
		note(folder, "passed over as not named like videos: "+kinds(skipped), false)
	}
	return list, err
}

// kinds writes counts by ending, the most frequent first.
func kinds(count map[string]int) string {
	endings := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	const most = 8 // the others are counted together
	var words []string
	others := 0
	for i, e := range endings {
		switch {
		case i >= most:
			others += count[e]
		case e == "":
			words = append(words, fmt.Sprintf("%d without an ending", count[e]))
		default:
			words = append(words, fmt.Sprintf("%d %s", count[e], e))
		}
	}
	if others > 0 {
		words = append(words, fmt.Sprintf("%d of other kinds", others))
	}
	return strings.Join(words, ", ")
}

func namedLikeVideo(path string) bool {
	return slices.Contains(videoEndings(), strings.ToLower(filepath.Ext(path)))
}

// videoEndings are the usual names of the containers that the decoder reads: MP4 and QuickTime, Matroska and WebM, AVI,
// MPEG transport and program streams, MXF, Windows Media and Flash.
func videoEndings() []string {
	return []string{".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".vob", ".mxf", ".wmv", ".asf", ".flv"}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
