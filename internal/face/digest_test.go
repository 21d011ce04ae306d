package face_test

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/spotter-video/spotter/internal/face"
)

// TestDigestsStayTheSame: what databases and files keep of a set is compared with what later programs make of it.
func TestDigestsStayTheSame(t *testing.T) {
	t.Parallel()
	one, two := face.ID{1, 15: 2}, face.ID{8: 3}
	for _, x := range []struct {
		got  face.Digest
		want string
	}{
		{0, "0000000000000000"},
		{face.Digest(0).Face(one), "9c459b73a7308d35"},
		{face.Digest(0).Face(two).Face(one), "208866ef319105a2"},
		{face.Digest(0).Owner(one, "ann"), "163ea5c12a60f934"},
		{face.Digest(0).Owner(one, "ann").Owner(two, "Zoë"), "09330d2a8585911b"},
	} {
		if got := fmt.Sprintf("%016x", uint64(x.got)); got != x.want {
			t.Errorf("the digest is %s, want %s", got, x.want)
		}
	}
}

// TestDigestsAreThoseOfSets takes faces and owners in and out at random: few ids and names, which are alike.
func TestDigestsAreThoseOfSets(t *testing.T) {
	t.Parallel()
	known := map[face.Digest]string{}
	rapid.Check(t, func(r *rapid.T) {
		var d face.Digest
		faces := map[face.ID]string{}
		r.Repeat(map[string]func(*rapid.T){
			"change": func(r *rapid.T) {
				id := face.ID{byte(rapid.IntRange(0, 3).Draw(r, "low")), 15: byte(rapid.IntRange(0, 1).Draw(r, "high"))}
				owner, there := faces[id]
				switch user := rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "user"); {
				case !there:
					d, faces[id] = d.Face(id), ""
				case owner != "":
					d, faces[id] = d.Owner(id, owner), ""
				case user != "":
					d, faces[id] = d.Owner(id, user), user
				default:
					d = d.Face(id)
					delete(faces, id)
				}
			},
			"": func(r *rapid.T) {
				var anew face.Digest
				for id, user := range maps.All(faces) {
					if anew = anew.Face(id); user != "" {
						anew = anew.Owner(id, user)
					}
				}
				if anew != d {
					r.Fatalf("the digest of %v is %x on the way, and %x", faces, d, anew)
				}
				set := fmt.Sprint(faces)
				if other, there := known[d]; there && other != set {
					r.Fatalf("%s and %s have one digest", other, set)
				}
				known[d] = set
			},
		})
	})
}
