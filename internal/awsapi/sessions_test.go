package awsapi

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTokensStayReadable holds a token of version 1: those that are out when a server is upgraded are still good.
func TestTokensStayReadable(t *testing.T) {
	t.Parallel()
	s, err := NewSessions(bytes.Repeat([]byte{1}, 32), func() time.Time { return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	want := Session{Key: "AKIA", Role: "r", Name: "n", Policy: "{}", Expires: time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)}
	const golden = "ATW5cZe90+qKnwEXGsGHO98ZTQ5iT3yxv2+ucQWEzWYRHDvc9EWTvQ0NZ2slvtsazqy3Ta7tMWM4MXQD2VPV7iSYmrc4PFN/8+8mmBwIXAYyBo" +
		"7YicFFBWKvgTonHOQHd8F4QHCQOHfkxQ=="
	got, secret, err := s.open("ASIAGOLDEN", golden)
	if err != nil || secret != "secret" {
		t.Fatalf("%q, %v", secret, err)
	}
	if d := cmp.Diff(&want, got); d != "" {
		t.Error("session (-want +got):\n" + d)
	}
}

// FuzzOpenToken: no token but those that were made opens, and none does harm.
func FuzzOpenToken(f *testing.F) {
	key := make([]byte, 32) // another one in each process that takes part: tokens of others are forged too
	if _, err := rand.Read(key); err != nil {
		f.Fatal(err)
	}
	s, err := NewSessions(key, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	made, err := s.Issue(Session{Key: "AKIA", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(made.KeyID, made.Token)
	f.Add("ASIA", "")
	f.Add("ASIA", base64.StdEncoding.EncodeToString([]byte{tokenVersion}))
	f.Fuzz(func(t *testing.T, id, token string) {
		if _, _, err := s.open(id, token); err == nil && (id != made.KeyID || token != made.Token) {
			t.Errorf("%q opens for %q", token, id)
		}
	})
}
