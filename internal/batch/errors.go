package batch

import (
	"cmp"
	"fmt"
)

// NoFacesError says that not one usable face was enrolled.
type NoFacesError struct {
	// Photos is how many photos there were, all of them refused.
	Photos int
}

func (e *NoFacesError) Error() string {
	if e.Photos == 0 {
		return "there are no photos of people to look for: put them into the folder as PERSON.jpg or " +
			"PERSON/ANY-NAME.jpg (JPEG or PNG)"
	}
	return "no photo has a usable face (reasons above): use sharp photos of one person each, the face large"
}

// IncompleteError says that some of the videos, or of something else, could not be searched, or not to their end. The others were.
type IncompleteError struct {
	Failed, Total int
	// What they are, one of them; video if it is empty. Did is what was done with the others; searched if it is empty.
	What, Did string
}

func (e *IncompleteError) Error() string {
	if e.What != "" {
		return fmt.Sprintf("%d of %d %ss could not be %s", e.Failed, e.Total, e.What, e.Did)
	}
	did := cmp.Or(e.Did, "searched")
	if e.Total == 1 {
		return fmt.Sprintf("the video could not be %s completely", did)
	}
	return fmt.Sprintf("%d of %d videos could not be %s completely", e.Failed, e.Total, did)
}
