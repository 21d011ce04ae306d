package service

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// pages makes and reads page tokens: a position in a listing, sealed together with the listing that it belongs to, so that
// a token can be neither forged nor used elsewhere.
//
// Layout of the plain text: 8 bytes hash of the listing, 8 bytes time of issue in unix seconds, then the position. A token
// of 32 bytes of position has 116 characters; at most 255 may be sent.
type pages struct {
	seal   cipher.AEAD
	random io.Reader
	now    func() time.Time
	valid  time.Duration
}

const pageHead = 16 // bytes before the position

func newPages(key []byte, random io.Reader, now func() time.Time, valid time.Duration) (*pages, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of page tokens: %w", err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("key of page tokens: %w", err)
	}
	return &pages{seal: seal, random: random, now: now, valid: valid}, nil
}

// token makes the token for what follows position in a listing.
func (p *pages) token(listing string, position []byte) (string, error) {
	nonce := make([]byte, p.seal.NonceSize(), p.seal.NonceSize()+pageHead+len(position)+p.seal.Overhead())
	if _, err := io.ReadFull(p.random, nonce); err != nil {
		return "", fmt.Errorf("page token: %w", err)
	}
	plain := make([]byte, pageHead, pageHead+len(position))
	copy(plain, listingHash(listing))
	binary.BigEndian.PutUint64(plain[8:], uint64(p.now().Unix())) //nolint:gosec // after 1970
	plain = append(plain, position...)
	return base64.StdEncoding.EncodeToString(p.seal.Seal(nonce, nonce, plain, nil)), nil
}

// position reads a token of the same listing, whose position has size bytes. An empty token has none: the first page.
func (p *pages) position(listing, token string, size int) ([]byte, error) {
	if token == "" {
		return nil, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(sealed) < p.seal.NonceSize() {
		return nil, errBadPage()
	}
	nonce := p.seal.NonceSize()
	plain, err := p.seal.Open(nil, sealed[:nonce], sealed[nonce:], nil)
	if err != nil || len(plain) != pageHead+size || string(plain[:8]) != string(listingHash(listing)) {
		return nil, errBadPage()
	}
	issued := time.Unix(int64(binary.BigEndian.Uint64(plain[8:])), 0) //nolint:gosec // it was made from an int64
	if p.now().Sub(issued) > p.valid {
		return nil, errBadPage()
	}
	return plain[pageHead:], nil
}

func errBadPage() error { return Errorf(BadPage, "Invalid Pagination Token") }

func listingHash(listing string) []byte {
	sum := sha256.Sum256([]byte(listing))
	return sum[:8]
}

// serialToken is a token whose position is a row's serial.
func (p *pages) serialToken(listing string, at Serial) (string, error) {
	return p.token(listing, binary.BigEndian.AppendUint64(nil, uint64(at))) //nolint:gosec // serials are positive
}

// serial reads a token that serialToken made; 0 for the first page.
func (p *pages) serial(listing, token string) (Serial, error) {
	position, err := p.position(listing, token, 8)
	if err != nil || position == nil {
		return 0, err
	}
	return Serial(binary.BigEndian.Uint64(position)), nil //nolint:gosec // serials are positive
}

// size is how many entries a page has: what was asked for, or the default, and at most most.
func (r PageRequest) size(usual, most int) int {
	if r.Max <= 0 {
		return usual
	}
	return min(r.Max, most)
}
