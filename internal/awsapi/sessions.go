package awsapi

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Session is what temporary credentials stand for: some of the rights of an access key, or of a role, for a while.
type Session struct {
	// Key is the access key whose holder was given them; empty for the holder of a web identity. They are good only as long as
	// the key is.
	Key string `json:"k,omitempty"`
	// Role is the name of the role whose rights they have; empty for the key's own. Name is what its holder calls the session.
	Role string `json:"r,omitempty"`
	Name string `json:"n,omitempty"`
	// Policy narrows the rights: an IAM policy document; empty for all of them.
	Policy string `json:"p,omitempty"`
	// Expires is when they end.
	Expires time.Time `json:"e"`
}

// Temporary is temporary credentials.
type Temporary struct {
	KeyID, Secret, Token string
	Expires              time.Time
}

// Sessions makes temporary credentials and reads them. It keeps nothing: what a session is travels in its token, sealed so that
// nobody else can read or change it, and only for the access key id that it was made for. Safe for concurrent use.
type Sessions struct {
	seal cipher.AEAD
	now  func() time.Time
}

// errExpired is a session that has been good.
var errExpired = errors.New("the session has expired")

const (
	// tokenVersion is the first byte of a token, so that what is in it can change one day.
	tokenVersion = 1
	// temporaryPrefix begins the ids of access keys that are temporary, as AWS's do.
	temporaryPrefix = "ASIA"
	// maxToken is the longest token that is looked at. A session policy has at most 2,048 characters, of up to 4 bytes.
	maxToken = 16 << 10
)

// NewSessions makes sessions that are sealed with a key of 32 bytes, which stays the same for as long as they are to be read.
func NewSessions(key []byte, now func() time.Time) (*Sessions, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of sessions: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("key of sessions: %w", err)
	}
	return &Sessions{seal: seal, now: now}, nil
}

// sealed is what a token holds.
type sealed struct {
	Session

	Secret string `json:"s"`
}

// Issue makes the credentials of a session.
func (s *Sessions) Issue(session Session) (Temporary, error) {
	var random [10 + 30]byte
	if _, err := io.ReadFull(rand.Reader, random[:]); err != nil {
		return Temporary{}, fmt.Errorf("make temporary credentials: %w", err)
	}
	session.Expires = session.Expires.UTC().Truncate(time.Second)
	out := Temporary{
		KeyID:   temporaryPrefix + base32.StdEncoding.EncodeToString(random[:10]),
		Secret:  base64.StdEncoding.EncodeToString(random[10:]),
		Expires: session.Expires,
	}
	plain, err := json.Marshal(sealed{session, out.Secret}) //nolint:gosec // it is sealed next
	if err != nil {
		return Temporary{}, fmt.Errorf("make temporary credentials: %w", err)
	}
	//nolint:gosec // this cipher draws a random nonce by itself and wants none
	token := s.seal.Seal([]byte{tokenVersion}, nil, plain, []byte(out.KeyID))
	out.Token = base64.StdEncoding.EncodeToString(token)
	return out, nil
}

// open reads the token of an access key id. The error is errExpired for a session that is over.
func (s *Sessions) open(keyID, token string) (session *Session, secret string, err error) {
	if len(token) > maxToken {
		return nil, "", errors.New("the session token is too long")
	}
	bytes, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(bytes) == 0 || bytes[0] != tokenVersion {
		return nil, "", errors.New("the session token is of no form that this version knows")
	}
	plain, err := s.seal.Open(nil, nil, bytes[1:], []byte(keyID))
	if err != nil {
		return nil, "", errors.New("the session token was not made here, or not for this access key")
	}
	var in sealed
	if err := json.Unmarshal(plain, &in); err != nil {
		return nil, "", fmt.Errorf("read the session token: %w", err)
	}
	if !s.now().Before(in.Expires) {
		return nil, "", errExpired
	}
	return &in.Session, in.Secret, nil
}
