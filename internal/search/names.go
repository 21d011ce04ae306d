package search

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/spotter-video/spotter/internal/face"
)

// The similarities that say something about who somebody is, whatever the threshold of the search: persons and
// similarities must be the same for every threshold.
const (
	// leastEvidence is the similarity below which a match is no evidence of anything: one in a hundred strangers has it.
	leastEvidence face.Similarity = 50
	// sureName is the similarity from which a match says who a tracklet is, so that two of different names are two people.
	sureName face.Similarity = 80
)

// leastMatches is how many matches of a tracklet are looked at, however few are wanted in the end.
const leastMatches = 256

// naming knows each tracklet's own matches and whose faces they are, and gives each tracklet the matches it is answered
// with.
type naming struct {
	Matching
	own [][]face.Match
	// people are the names of those who have one.
	people map[face.ID]string
}

func newNaming(ctx context.Context, own [][]face.Match, in Matching) (*naming, error) {
	n := &naming{Matching: in, own: own}
	ids := matchedIDs(own)
	if in.People == nil || len(ids) == 0 {
		return n, nil
	}
	var err error
	n.people, err = in.People(ctx, ids)
	return n, err
}

// matchedIDs are the faces of all matches, each once, by id.
func matchedIDs(lists [][]face.Match) []face.ID {
	var ids []face.ID
	for _, list := range lists {
		for _, m := range list {
			ids = append(ids, m.ID)
		}
	}
	slices.SortFunc(ids, func(a, b face.ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// person is the name of the person that an enrolled face is of. Names that somebody has given and ids cannot be the same, as the latter
// begin with a character that is in no name.
func (n *naming) person(id face.ID) string {
	if name, known := n.people[id]; known && name != "" {
		return name
	}
	return "\x00" + id.String()
}

// best is the enrolled person that a tracklet is most like, with the similarity; nobody if it is like nobody.
func (n *naming) best(i int) (person string, s face.Similarity) {
	if len(n.own[i]) == 0 || n.own[i][0].Own < leastEvidence {
		return "", 0
	}
	return n.person(n.own[i][0].ID), n.own[i][0].Own
}

// sure is the enrolled person that a tracklet is beyond doubt; empty if there is none.
func (n *naming) sure(i int) string {
	if person, s := n.best(i); s >= sureName {
		return person
	}
	return ""
}

// matches are what each tracklet is answered with: its own matches, raised by what it inherits, from the threshold up.
func (n *naming) matches(probes []probe, numbers []int) [][]face.Match {
	kin := map[int][]int{} // the tracklets of a person that have something to pass on, the surest first
	for i, p := range numbers {
		if _, s := n.best(i); s > 0 {
			kin[p] = append(kin[p], i)
		}
	}
	for _, list := range kin {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(n.own[b][0].Own, n.own[a][0].Own) })
	}
	out := make([][]face.Match, len(probes))
	for i, p := range numbers {
		list := slices.Clone(n.own[i])
		n.inherit(list, probes, i, kin[p])
		slices.SortFunc(list, bestFirst)
		list = slices.DeleteFunc(list, func(m face.Match) bool { return m.Similarity < n.Threshold })
		out[i] = list[:min(len(list), n.MaxMatches)]
	}
	return out
}

// inherit raises the matches of a tracklet by those of its kin: a face that is turned away in one shot is known from
// another. What another tracklet has earned by itself is passed on over their likeness, and counts as much as the weaker
// of the two. It is passed on only where the tracklet itself finds it possible, and never against a better match of its
// own with somebody else.
func (n *naming) inherit(list []face.Match, probes []probe, i int, kin []int) {
	person, best := n.best(i)
	for _, k := range kin {
		heir, s := n.best(k)
		if k == i || s <= best && heir == person {
			continue
		}
		link := probes[i].like(&probes[k], n.Calibration)
		for _, m := range n.own[k] {
			if n.person(m.ID) != heir || min(m.Own, link) < leastEvidence {
				continue
			}
			at := slices.IndexFunc(list, func(x face.Match) bool { return x.ID == m.ID && x.Own >= leastEvidence })
			if at < 0 || min(m.Own, link) <= list[at].Similarity || heir != person && min(m.Own, link) <= best {
				continue
			}
			list[at].Inherited = min(m.Own, link)
			list[at].Similarity = list[at].Inherited
		}
	}
}

func bestFirst(a, b face.Match) int {
	return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), bytes.Compare(a.ID[:], b.ID[:]))
}
