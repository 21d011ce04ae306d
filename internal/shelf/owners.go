package shelf

import (
	"bytes"
	"cmp"
	"crypto/sha256"

	"github.com/google/btree"

	"github.com/spotter-video/spotter/internal/face"
)

// owners says whose the faces of a collection are, those that are somebody's. A copy costs next to nothing: the two share what
// neither changes.
type owners struct {
	faces *btree.BTreeG[owned] // by face
	users *btree.BTreeG[owned] // by user, then by face
	// people are those that are in the gallery of users, by key.
	people *btree.BTreeG[person]
	// digest is that of whose the faces are, beside that of the faces.
	digest face.Digest
}

// owned is a face that is somebody's.
type owned struct {
	face face.ID
	user string
}

// person is a user, and the id that stands for them in the gallery of users.
type person struct {
	key  face.ID
	user string
}

const (
	degree = 32 // of the trees: nodes of some kilobytes, of which a change copies one a level
	// ownedBytes is what a face with an owner takes in both trees, whose nodes are two thirds full: 2 x 32 B x 1.5.
	ownedBytes = 96
)

func newOwners() *owners {
	return &owners{
		faces:  btree.NewG(degree, func(a, b owned) bool { return compareIDs(a.face, b.face) < 0 }),
		users:  btree.NewG(degree, func(a, b owned) bool { return cmp.Or(cmp.Compare(a.user, b.user), compareIDs(a.face, b.face)) < 0 }),
		people: btree.NewG(degree, func(a, b person) bool { return compareIDs(a.key, b.key) < 0 }),
	}
}

func compareIDs(a, b face.ID) int { return bytes.Compare(a[:], b[:]) }

func (o *owners) clone() *owners {
	return &owners{faces: o.faces.Clone(), users: o.users.Clone(), people: o.people.Clone(), digest: o.digest}
}

func (o *owners) bytes() int64 { return int64(o.faces.Len()) * ownedBytes }

// of is whose a face is; empty if nobody's.
func (o *owners) of(id face.ID) string {
	f, _ := o.faces.Get(owned{face: id})
	return f.user
}

// set makes a face a user's, or nobody's, and gives whose it was.
func (o *owners) set(id face.ID, user string) (before string) {
	if before = o.of(id); before == user {
		return before
	}
	if before != "" {
		o.faces.Delete(owned{id, before})
		o.users.Delete(owned{id, before})
		o.digest = o.digest.Owner(id, before)
	}
	if user != "" {
		o.faces.ReplaceOrInsert(owned{id, user})
		o.users.ReplaceOrInsert(owned{id, user})
		o.digest = o.digest.Owner(id, user)
	}
	return before
}

// held is the faces of a user, by id.
func (o *owners) held(user string) (ids []face.ID) {
	o.users.AscendGreaterOrEqual(owned{user: user}, func(f owned) bool {
		if f.user == user {
			ids = append(ids, f.face)
		}
		return f.user == user
	})
	return ids
}

// person is the user that a key stands for; empty if none.
func (o *owners) person(key face.ID) string {
	p, _ := o.people.Get(person{key: key})
	return p.user
}

// keyOf is the id of a user in a gallery of users.
func keyOf(user string) face.ID {
	sum := sha256.Sum256([]byte(user))
	return face.ID(sum[:16])
}
