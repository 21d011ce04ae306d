package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/spotter-video/spotter/internal/face"
)

// form is a request in the form in which it is hashed for its token. The hash is kept for as long as the token holds, also
// across an upgrade, so the forms are written here and not taken from the requests: their members, names and order stay what
// they are, and what a request gets anew is left out where it says nothing (`omitempty`). A golden test holds them.
type form any

// userForm is that of CreateUser and DeleteUser.
func userForm(id UserID) form { return string(id) }

func (r *StartRequest) form() form {
	return struct {
		Operation        Operation
		Video            struct{ Bucket, Key, Version string }
		Collection       CollectionID
		Threshold        *face.Similarity
		Attributes       bool
		Token            string
		Topic, Role, Tag string
		Caller           struct{ Key, Name string } // empty: whoever repeats a request
	}{
		Operation: r.Operation, Video: struct{ Bucket, Key, Version string }(r.Video), Collection: r.Collection,
		Threshold: r.Threshold, Attributes: r.Attributes, Token: r.Token, Topic: r.Topic, Role: r.Role, Tag: r.Tag,
	}
}

// form is that of AssociateFaces and DisassociateFaces.
func (r *AssociateRequest) form() form {
	return struct {
		Collection CollectionID
		User       UserID
		IDs        []face.ID
		Threshold  *face.Similarity
		Token      string
	}(*r)
}

// once does something unless it has been done with this token: then it gives the answer from that time.
func (s *Service) once(
	ctx context.Context, operation string, id CollectionID, token string, input form,
	do func(*Collection, *RequestToken) error,
) (earlier []byte, err error) {
	c, err := s.searchable(ctx, id)
	if err != nil {
		return nil, err
	}
	if token == "" {
		return nil, do(c, nil)
	}
	t, err := s.requestToken(fmt.Sprintf("%s of %d", operation, c.Serial), token, input)
	if err != nil {
		return nil, err
	}
	if earlier, err = s.replay(ctx, t); earlier != nil || err != nil {
		return earlier, err
	}
	if err = do(c, t); KindOf(err) != TokenReused {
		return nil, err
	}
	return s.replay(ctx, t) // somebody was quicker
}

// requestToken is a token for a request with this input.
func (s *Service) requestToken(scope, token string, input form) (*RequestToken, error) {
	said, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", scope, err)
	}
	return &RequestToken{
		Scope: scope, Token: token, Input: sha256.Sum256(said), Result: []byte("{}"),
		Expires: s.ports.Now().Add(s.settings.KeepTokens),
	}, nil
}

// answer keeps what the request is answered with. Without a token there is nothing to keep.
func (t *RequestToken) answer(v any) (err error) {
	if t != nil {
		t.Result, err = json.Marshal(v)
	}
	return err
}

// replay is the answer that was given to a request with this token; nil if there was none. [TokenReused] if the request
// was another.
func (s *Service) replay(ctx context.Context, t *RequestToken) ([]byte, error) {
	known, err := s.ports.Store.Token(ctx, t.Scope, t.Token, s.ports.Now())
	if err != nil || known == nil {
		return nil, err
	}
	if known.Input != t.Input {
		return nil, Errorf(TokenReused, "The request token %s was used for another request", t.Token)
	}
	return known.Result, nil
}
