package shelf

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/spotter-video/spotter/internal/face"
	"github.com/spotter-video/spotter/internal/gallery"
)

type box struct{ *gallery.Gallery }

func (b box) Snapshot() Snapshot { return b.Gallery.Snapshot() }

// FuzzFile reads anything as a file whose mark is known and whose own checksum is right. It is refused, or it fits together.
func FuzzFile(f *testing.F) {
	const dim = 4
	make2 := func(tb testing.TB) *draft {
		tb.Helper()
		d := &draft{serial: 1, owners: newOwners()}
		for _, g := range []*Gallery{&d.faces, &d.users} {
			made, err := gallery.New(dim)
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { _ = made.Close() })
			*g = box{made}
		}
		return d
	}
	d := make2(f)
	for n := range 20 {
		v := make([]float32, dim)
		v[n%dim] = 1
		if err := d.faces.Add([]face.ID{{byte(n)}}, v); err != nil {
			f.Fatal(err)
		}
		if user := []string{"", "ann", "bob"}[n%3]; user != "" {
			d.owners.set(face.ID{byte(n)}, user)
		}
	}
	for _, user := range []string{"ann", "bob"} {
		if err := d.users.Add([]face.ID{keyOf(user)}, []float32{1, 0, 0, 0}); err != nil {
			f.Fatal(err)
		}
	}
	var file bytes.Buffer
	x := &state{number: 7, faces: d.faces.Snapshot(), users: d.users.Snapshot(), owners: d.owners}
	if _, err := writeFile(f.Context(), &file, 1, x); err != nil {
		f.Fatal(err)
	}
	_, _ = x.faces.Close(), x.users.Close()
	// Its galleries' bytes are their own affair, and fuzzed there: what lies between head and owners stays.
	whole := file.Bytes()
	ends := bytes.Index(whole, append([]byte{3, 0}, "ann"...))
	between := slices.Clone(whole[fileHead:ends])
	f.Add(whole[:fileHead], whole[ends:len(whole)-4])
	f.Add(whole[:fileHead], []byte{0, 0})
	f.Fuzz(func(t *testing.T, first, last []byte) {
		sum := crc32.Update(crc32.Checksum(first, castagnoli), castagnoli, last)
		content := slices.Concat(first, between, last, binary.LittleEndian.AppendUint32(nil, sum))
		got := make2(t)
		r, err := openFile(t.Context(), bytes.NewReader(content), 1)
		if err == nil {
			err = r.fill(got, int64(len(content)))
		}
		if err != nil {
			return
		}
		if got.owners.faces.Len() != got.owners.users.Len() || got.owners.people.Len() != got.users.Len() {
			t.Errorf("%d faces of users with %d; %d people, %d users", got.owners.faces.Len(), got.owners.users.Len(), got.owners.people.Len(), got.users.Len())
		}
		got.owners.faces.Ascend(func(o owned) bool {
			if !got.faces.Has(o.face) || o.user == "" {
				t.Errorf("face %v of %q is not there", o.face, o.user)
			}
			return true
		})
	})
}
