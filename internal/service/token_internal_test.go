package service

import (
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotter-video/spotter/internal/face"
)

// TestFormsOfRequestsStayWhatTheyWere holds what the tokens of earlier versions were hashed from, and answered with.
func TestFormsOfRequestsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	id, err := face.ParseID("56de4b24-87b3-832d-b8d5-305f299f9546")
	if err != nil {
		t.Fatal(err)
	}
	threshold := face.Similarity(99.9)
	start := StartRequest{
		Operation: FaceSearch, Video: Object{"b", "k", "v"}, Collection: "c", Threshold: &threshold, Attributes: true, Token: "t",
		Topic: "arn", Role: "role", Tag: "tag", Caller: Caller{Key: "AKIA", Name: "anna"},
	}
	associate := AssociateRequest{Collection: "c", User: "u", IDs: []face.ID{id}, Threshold: &threshold, Token: "t"}
	for want, form := range map[string]any{
		`"anna"`: userForm("anna"),
		`{"Operation":"face-search","Video":{"Bucket":"b","Key":"k","Version":"v"},"Collection":"c","Threshold":99.9,` +
			`"Attributes":true,"Token":"t","Topic":"arn","Role":"role","Tag":"tag","Caller":{"Key":"","Name":""}}`: start.form(),
		`{"Collection":"c","User":"u","IDs":["56de4b24-87b3-832d-b8d5-305f299f9546"],"Threshold":99.9,"Token":"t"}`: associate.form(),
		`{"Done":["56de4b24-87b3-832d-b8d5-305f299f9546"],"Failed":[{"ID":"56de4b24-87b3-832d-b8d5-305f299f9546",` +
			`"Reason":"LOW_MATCH_CONFIDENCE","User":"u","Similarity":5}],"Status":"ACTIVE"}`: Associated{
			Done: []face.ID{id}, Status: UserActive,
			Failed: []NotAssociated{{ID: id, Reason: LowSimilarity, User: "u", Similarity: 5}},
		},
	} {
		got, unreadable := json.Marshal(form)
		if unreadable != nil {
			t.Fatal(unreadable)
		}
		if d := cmp.Diff(want, string(got)); d != "" {
			t.Error("form (-want +got):\n" + d)
		}
	}
	s := Service{ports: Ports{Now: func() time.Time { return time.Unix(0, 0) }}}
	token, err := s.requestToken("face-search", "t", start.form())
	if err != nil {
		t.Fatal(err)
	}
	const hash = "bf112a201c00e3a3445cc69f06d73c9b8f402c845e2926ac1fc18e2faf6fdcf5"
	if got := hex.EncodeToString(token.Input[:]); got != hash {
		t.Errorf("hash %s, want %s", got, hash)
	}
}
