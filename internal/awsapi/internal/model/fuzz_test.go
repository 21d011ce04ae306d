package model

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode: whatever is sent, the answer is one of the two errors, short, or a struct that is read back from what it is
// written as.
func FuzzDecode(f *testing.F) {
	for i, body := range []string{
		``, `{}`, `null`, `[`, `{"CollectionId":"c","Image":{"Bytes":"AA=="},"MaxFaces":1.0}`,
		`{"CollectionId":"c","Tags":{"aws:x":"y","z":null},"FaceIds":[null,"x",1]}`,
		`{"JobId":"j","MaxResults":1e3,"NextToken":"","SortBy":"INDEX"}`,
		`{"Video":{"S3Object":{"Bucket":"bbb","Name":"\ud800"}},"FaceMatchThreshold":-0.0,"CollectionId":"c"}`,
	} {
		f.Add(byte(i), []byte(body))
	}
	var names []string
	for _, name := range append(Names(), "SpotterService.ListJobs") {
		if op, _ := Lookup(name); op.Supported() {
			names = append(names, name)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		name := names[int(which)%len(names)]
		in := input(t, name)
		if err := Decode(name, body, in); err != nil {
			refused(t, err)
			return
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		again := input(t, name)
		if err := Decode(name, text, again); err != nil {
			t.Fatalf("%s became %s: %v", body, text, err)
		}
		if diff := cmp.Diff(in, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func refused(t *testing.T, err error) {
	t.Helper()
	if !errors.As(err, new(*SerializationError)) && !errors.As(err, new(*ValidationError)) {
		t.Fatalf("error %T %v", err, err)
	}
	if len(err.Error()) > 20_000 {
		t.Fatalf("a message of %d bytes", len(err.Error()))
	}
}
