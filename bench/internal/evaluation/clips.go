package evaluation

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Set is the evaluation set, in a folder.
type Set string

// Default is where the set is looked for: where SPOTTER_EVALUATION says, or in the folder beside the project.
func Default() string {
	if named := os.Getenv("SPOTTER_EVALUATION"); named != "" {
		return named
	}
	return "../shared/evaluation"
}

// Path is a file of the set.
func (s Set) Path(name string) string { return filepath.Join(string(s), filepath.FromSlash(name)) }

// Missing is the sentence that a program says, and then ends, where the set is not there; empty where it is.
func (s Set) Missing() string {
	if _, err := os.Stat(string(s)); err == nil {
		return ""
	}
	return fmt.Sprintf("skipped: no evaluation data in %s (name the folder with --evaluation)", string(s))
}

// Clip is a video with ground truth, and the people enrolled for it. Files are below the set's folder.
type Clip struct {
	Name, Video, Truth, Faces string
	// Frames has whose face is where in every frame; empty where that is not known.
	Frames string
	// StrangersOnly says that nobody who is enrolled is in the clip.
	StrangersOnly bool
}

// Clips are the set's. In opera-crowd nobody is enrolled: the 40 people of the synthetic clip are searched there, and every
// match is false.
func Clips() []Clip {
	const synth = "synthetic/synth-dev-720p"
	filmed := func(name string) Clip {
		return Clip{Name: name, Video: "clips/" + name + ".mp4", Truth: "clips/" + name + ".gt.json", Faces: "enrol/" + name}
	}
	crowd := filmed("opera-crowd")
	crowd.Faces, crowd.StrangersOnly = synth+"-enrol", true
	return []Clip{
		filmed("friends-apartment"), filmed("hamilton"), filmed("koffee"), filmed("obama-podium"), crowd,
		{
			Name: "synth-dev", Video: synth + ".mp4", Truth: synth + ".gt.json", Faces: synth + "-enrol",
			Frames: synth + ".frames.json.gz",
		},
	}
}

// Named are the clips of these names, or all if there are no names.
func Named(names []string) ([]Clip, error) {
	all := Clips()
	if len(names) == 0 {
		return all, nil
	}
	var out []Clip
	for _, name := range names {
		i := slices.IndexFunc(all, func(c Clip) bool { return c.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no clip %q", name)
		}
		out = append(out, all[i])
	}
	return out, nil
}
