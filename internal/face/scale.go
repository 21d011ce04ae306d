package face

import (
	"errors"
	"fmt"
)

// Scale says where the figures of one model pack lie that a search of video compares: a pack whose scores or norms are
// larger or smaller says so here, and nothing else changes.
type Scale struct {
	// PoolFloor is the norm up to which a sample says next to nothing of whose face it is; a sample counts with the square of
	// what its norm has above it, and at least with that of PoolLeast. Raising the floor lets the best samples of a tracklet
	// decide alone.
	PoolFloor, PoolLeast float32
	// Split is the normalised score of the samples before and after a moment, pooled, below which a tracklet is two people and
	// is cut there. Raising it cuts tracklets of turned faces to pieces; lowering it leaves two people in one.
	Split float64
	// SplitSure is the same where both weigh at least Sure: faces that are well seen are alike, or are not of one person.
	SplitSure float64
	Sure      float64
	// SamePerson is the normalised score, averaged over both sides, from which two tracklets are one person of a video.
	// Raising it leaves a person in several pieces; lowering it joins people who look alike.
	SamePerson float64
	// Weak is the weight below which a tracklet's embedding says too little to tell whose face it is: the weight of one
	// sample that can hardly be made out.
	Weak float64
}

// Check says what is wrong with the scale; nil if nothing is.
func (s *Scale) Check() error {
	var errs []error
	if !(s.Split <= s.SplitSure && s.SplitSure <= s.SamePerson) {
		errs = append(errs, fmt.Errorf("normalised scores of two people %v, of two well seen %v and of one person %v do not rise",
			s.Split, s.SplitSure, s.SamePerson))
	}
	if !(s.Sure >= s.Weak) {
		errs = append(errs, fmt.Errorf("weight %v of a sure sight is below that of a weak one", s.Sure))
	}
	if !(s.PoolFloor >= 0 && s.PoolLeast > 0) {
		errs = append(errs, fmt.Errorf("pool floor %v and least %v are not lengths", s.PoolFloor, s.PoolLeast))
	}
	if !(s.SamePerson > 0) {
		errs = append(errs, fmt.Errorf("normalised score %v of one person is not above 0", s.SamePerson))
	}
	if !(s.Weak >= 0) {
		errs = append(errs, fmt.Errorf("weight %v of a weak tracklet is below 0", s.Weak))
	}
	return errors.Join(errs...)
}
